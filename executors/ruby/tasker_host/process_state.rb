# frozen_string_literal: true

module TaskerHost
  # What all steps of a process share: working directory, umask, environment, signal handlers, standard streams. What a
  # handler changes is put back as soon as nothing runs. Changes are noticed where they are made, so that a step that
  # changes nothing costs nothing. In a process that always runs something, a change that lasts is told instead.
  module ProcessState
    ENV_WRITERS = %i[[]= store delete delete_if reject! keep_if select! filter! replace clear update merge! shift].freeze
    PATIENCE_SECONDS = 10
    TRAP = Signal.method(:trap)
    # What is set for the whole process, and read.
    FLAGS = [
      [Encoding.method(:default_external=), Encoding.method(:default_external)],
      [Encoding.method(:default_internal=), Encoding.method(:default_internal)],
      [Thread.method(:abort_on_exception=), Thread.method(:abort_on_exception)],
      [Thread.method(:report_on_exception=), Thread.method(:report_on_exception)],
      *%i[deprecated experimental].map { |kind| [->(on) { Warning[kind] = on }, -> { Warning[kind] }] },
      [->(disabled) { disabled ? GC.disable : GC.enable }, -> { GC.disable.tap { |disabled| GC.enable unless disabled } }]
    ].freeze
    @signals = {}
    @lasting = []

    class << self
      # Takes what is there now for what shall stay.
      def keep
        @directory = Dir.pwd
        @umask = File.umask
        @environment = ENV.to_h
        @output = [$stdout, $stderr]
        @streams ||= [STDIN, STDOUT, STDERR].to_h { |io| [io, io.dup] }
        @flags = FLAGS.map { |_, read| read.call }
        @verbose = $VERBOSE
        @signals.clear
        @lasting.clear
        @changed = @told = false
        @since = nil
        watch unless @watched
      end

      def changed
        @changed = true
      end

      # Remembers what a signal did before the handler's trap.
      def trapped(signal, before)
        @signals[signal] = before unless @signals.key?(signal)
        @changed = true
      end

      # A standard stream leads elsewhere, or is closed.
      def reopened
        @reopened = @changed = true
      end

      # A change that nobody can take back.
      def lasting(what)
        @lasting << what
        @changed = true
      end

      # Puts back what was changed, and returns what could not be.
      def restore
        $stdout, $stderr = @output unless $stdout.equal?(@output[0]) && $stderr.equal?(@output[1])
        $VERBOSE = @verbose unless $VERBOSE == @verbose
        return [] unless @changed

        lasting = @lasting.dup
        attempt(lasting, "the working directory") { Dir.chdir(@directory) unless Dir.exist?(@directory) && Dir.pwd == @directory }
        File.umask(@umask)
        ENV.replace(@environment) unless ENV.to_h == @environment
        put_back_flags
        put_back_streams(lasting) if @reopened
        @signals.each { |signal, before| attempt(lasting, "the handler of #{signal}") { TRAP.call(signal, before || "DEFAULT") } }
        @signals.clear
        @lasting.clear
        @changed = false
        @since = nil
        lasting
      end

      # What has been changed for long while others ran, once.
      def lingering(now = nil)
        return [] unless @changed

        now ||= Process.clock_gettime(Process::CLOCK_MONOTONIC)
        @since ||= now
        return [] if @told || now - @since < PATIENCE_SECONDS || !different?

        @told = true
        ["what all steps share, while others ran"]
      end

      private

      # Without the umask, which can only be read by changing it for a moment.
      def different?
        !@signals.empty? || !@lasting.empty? || Dir.pwd != @directory || ENV.to_h != @environment
      rescue SystemCallError # the working directory is gone
        true
      end

      def put_back_flags
        verbose, $VERBOSE = $VERBOSE, nil # an encoding is not changed without a warning
        FLAGS.each_with_index { |(write, read), i| write.call(@flags[i]) unless read.call == @flags[i] }
      ensure
        $VERBOSE = verbose
      end

      # What was reopened or closed leads again to where it led.
      def put_back_streams(lasting)
        @reopened = false
        @streams.each do |io, kept|
          attempt(lasting, "the standard streams") do
            reopen(io, kept)
            io.sync = true
          end
        end
      end

      # One that is closed takes no stream, but a path.
      def reopen(io, kept)
        io.closed? ? io.reopen("/proc/self/fd/#{kept.fileno}", io.equal?(STDIN) ? "r" : "a") : io.reopen(kept)
      end

      def attempt(lasting, what)
        yield
      rescue SystemCallError, ArgumentError, IOError
        lasting << what
      end

      def watch
        @watched = true
        watch_method(Dir.singleton_class, :chdir)
        watch_method(Dir.singleton_class, :fchdir)
        watch_method(Dir, :chdir)
        watch_method(File.singleton_class, :umask) { |*mask| mask.any? }
        ENV_WRITERS.each { |name| watch_method(ENV.singleton_class, name) }
        watch_flags
        watch_streams
        watch_signals
        watch_lasting
      end

      def watch_flags
        watch_method(Encoding.singleton_class, :default_external=)
        watch_method(Encoding.singleton_class, :default_internal=)
        watch_method(Thread.singleton_class, :abort_on_exception=)
        watch_method(Thread.singleton_class, :report_on_exception=)
        watch_method(Warning.singleton_class, :[]=)
        watch_method(GC.singleton_class, :disable)
      end

      def watch_streams
        [STDIN, STDOUT, STDERR].each { |io| %i[reopen close].each { |name| watch_method(io.singleton_class, name) { ProcessState.reopened } } }
      end

      def watch_method(owner, name, &counts)
        return unless owner.method_defined?(name)

        owner.prepend(Module.new do
          define_method(name) do |*arguments, &block|
            ProcessState.changed if counts.nil? || counts.call(*arguments)
            super(*arguments, &block)
          end
        end)
      end

      def watch_signals
        body = lambda do |signal, *command, &block|
          before = TRAP.call(signal, *command, &block)
          ProcessState.trapped(signal, before)
          before
        end
        [Signal.singleton_class, Kernel.singleton_class, Kernel].each do |owner|
          owner.send(:remove_method, :trap) # to define it again would be a warning
          owner.define_method(:trap, &body)
        end
        Kernel.send(:private, :trap)
      end

      def watch_lasting
        [[Process.singleton_class, %i[setsid setpgid setpgrp setrlimit daemon euid= uid= egid= gid=]],
         [Dir.singleton_class, %i[chroot]]].each do |owner, names|
          names.each do |name|
            watch_method(owner, name) do |*|
              ProcessState.lasting("#{name.to_s.delete("=")} of the process")
              true
            end
          end
        end
      end
    end
  end
end
