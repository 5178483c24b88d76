# frozen_string_literal: true

module TaskerHost
  # The state that all steps of a process share: working directory, umask, environment, signal handlers, standard
  # streams. Changes of a handler are restored when no step runs. The functions that make changes are wrapped, so a step
  # without changes costs nothing. In a process that is never idle, a change that lasts is reported.
  module ProcessState
    ENV_WRITERS = %i[[]= store delete delete_if reject! keep_if select! filter! replace clear update merge!
                     shift].freeze
    LASTING_SECONDS = 10
    TRAP = Signal.method(:trap)
    # Settings of the whole process, each with its writer and reader.
    FLAGS = [
      [Encoding.method(:default_external=), Encoding.method(:default_external)],
      [Encoding.method(:default_internal=), Encoding.method(:default_internal)],
      [Thread.method(:abort_on_exception=), Thread.method(:abort_on_exception)],
      [Thread.method(:report_on_exception=), Thread.method(:report_on_exception)],
      *%i[deprecated experimental].map { |kind| [->(on) { Warning[kind] = on }, -> { Warning[kind] }] },
      [->(disabled) { disabled ? GC.disable : GC.enable },
       -> { GC.disable.tap { |disabled| GC.enable unless disabled } }]
    ].freeze
    @signals = {}
    @lasting = []

    class << self
      # Keeps the current state.
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
        @changed = @reported = false
        @since = nil
        wrap_all unless @wrapped
      end

      def changed
        @changed = true
      end

      # Remembers what a signal did before the handler's trap.
      def trapped(signal, before)
        @signals[signal] = before unless @signals.key?(signal)
        @changed = true
      end

      # Notes that a standard stream was reopened or closed.
      def reopened
        @reopened = @changed = true
      end

      # Notes a change that cannot be undone.
      def lasting(what)
        @lasting << what
        @changed = true
      end

      # Restores the state, and returns the names of what could not be restored.
      def restore
        $stdout, $stderr = @output unless $stdout.equal?(@output[0]) && $stderr.equal?(@output[1])
        $VERBOSE = @verbose unless $VERBOSE == @verbose
        return [] unless @changed

        lasting = @lasting.dup
        attempt(lasting, "the working directory") do
          Dir.chdir(@directory) unless Dir.exist?(@directory) && Dir.pwd == @directory
        end
        File.umask(@umask)
        ENV.replace(@environment) unless ENV.to_h == @environment
        restore_flags
        restore_streams(lasting) if @reopened
        @signals.each do |signal, before|
          attempt(lasting, "the handler of #{signal}") { TRAP.call(signal, before || "DEFAULT") }
        end
        @signals.clear
        @lasting.clear
        @changed = false
        @since = nil
        lasting
      end

      # Reports once that a change has lasted while other steps ran.
      def lingering(now = nil)
        return [] unless @changed

        now ||= Process.clock_gettime(Process::CLOCK_MONOTONIC)
        @since ||= now
        return [] if @reported || now - @since < LASTING_SECONDS || !different?

        @reported = true
        ["what all steps share, while other steps ran"]
      end

      private

      # Whether the state differs. The umask is not compared, because reading it means changing it.
      def different?
        !@signals.empty? || !@lasting.empty? || Dir.pwd != @directory || ENV.to_h != @environment
      rescue SystemCallError # the working directory is gone
        true
      end

      def restore_flags
        verbose, $VERBOSE = $VERBOSE, nil # changing an encoding prints a warning
        FLAGS.each_with_index { |(write, read), i| write.call(@flags[i]) unless read.call == @flags[i] }
      ensure
        $VERBOSE = verbose
      end

      # Restores streams that were reopened or closed.
      def restore_streams(lasting)
        @reopened = false
        @streams.each do |io, kept|
          attempt(lasting, "the standard streams") do
            reopen(io, kept)
            io.sync = true
          end
        end
      end

      # A closed stream can be reopened only with a path.
      def reopen(io, kept)
        io.closed? ? io.reopen("/proc/self/fd/#{kept.fileno}", io.equal?(STDIN) ? "r" : "a") : io.reopen(kept)
      end

      def attempt(lasting, what)
        yield
      rescue SystemCallError, ArgumentError, IOError
        lasting << what
      end

      def wrap_all
        @wrapped = true
        wrap_method(Dir.singleton_class, :chdir)
        wrap_method(Dir.singleton_class, :fchdir)
        wrap_method(Dir, :chdir)
        wrap_method(File.singleton_class, :umask) { |*mask| mask.any? }
        ENV_WRITERS.each { |name| wrap_method(ENV.singleton_class, name) }
        wrap_flags
        wrap_streams
        wrap_signals
        wrap_lasting
      end

      def wrap_flags
        wrap_method(Encoding.singleton_class, :default_external=)
        wrap_method(Encoding.singleton_class, :default_internal=)
        wrap_method(Thread.singleton_class, :abort_on_exception=)
        wrap_method(Thread.singleton_class, :report_on_exception=)
        wrap_method(Warning.singleton_class, :[]=)
        wrap_method(GC.singleton_class, :disable)
      end

      def wrap_streams
        [STDIN, STDOUT, STDERR].each do |io|
          %i[reopen close].each { |name| wrap_method(io.singleton_class, name) { ProcessState.reopened } }
        end
      end

      def wrap_method(owner, name, &counts)
        return unless owner.method_defined?(name)

        owner.prepend(Module.new do
          define_method(name) do |*arguments, &block|
            ProcessState.changed if counts.nil? || counts.call(*arguments)
            super(*arguments, &block)
          end
        end)
      end

      def wrap_signals
        body = lambda do |signal, *command, &block|
          before = TRAP.call(signal, *command, &block)
          ProcessState.trapped(signal, before)
          before
        end
        [Signal.singleton_class, Kernel.singleton_class, Kernel].each do |owner|
          owner.send(:remove_method, :trap) # redefining it prints a warning
          owner.define_method(:trap, &body)
        end
        Kernel.send(:private, :trap)
      end

      def wrap_lasting
        [[Process.singleton_class, %i[setsid setpgid setpgrp setrlimit daemon euid= uid= egid= gid=]],
         [Dir.singleton_class, %i[chroot]]].each do |owner, names|
          names.each do |name|
            wrap_method(owner, name) do |*|
              ProcessState.lasting("#{name.to_s.delete("=")} of the process")
              true
            end
          end
        end
      end
    end
  end
end
