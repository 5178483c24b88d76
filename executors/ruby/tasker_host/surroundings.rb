# frozen_string_literal: true

module TaskerHost
  # What all steps of a process share: working directory, umask, environment, signal handlers, standard streams. What a
  # handler changes is put back as soon as nothing runs. Changes are noticed where they are made, so that a step that
  # changes nothing costs nothing.
  module Surroundings
    ENV_WRITERS = %i[[]= store delete delete_if reject! keep_if select! filter! replace clear update merge! shift].freeze
    TRAP = Signal.method(:trap)
    @signals = {}
    @lasting = []

    class << self
      # Takes what is there now for what shall stay.
      def keep
        @directory = Dir.pwd
        @umask = File.umask
        @environment = ENV.to_h
        @output = [$stdout, $stderr]
        @signals.clear
        @lasting.clear
        @changed = false
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

      # A change that nobody can take back.
      def lasting(what)
        @lasting << what
        @changed = true
      end

      # Puts back what was changed, and returns what could not be.
      def restore
        $stdout, $stderr = @output unless $stdout.equal?(@output[0]) && $stderr.equal?(@output[1])
        return [] unless @changed

        lasting = @lasting.dup
        attempt(lasting, "the working directory") { Dir.chdir(@directory) unless Dir.exist?(@directory) && Dir.pwd == @directory }
        File.umask(@umask)
        ENV.replace(@environment) unless ENV.to_h == @environment
        @signals.each { |signal, before| attempt(lasting, "the handler of #{signal}") { TRAP.call(signal, before || "DEFAULT") } }
        @signals.clear
        @lasting.clear
        @changed = false
        lasting
      end

      private

      def attempt(lasting, what)
        yield
      rescue SystemCallError, ArgumentError
        lasting << what
      end

      def watch
        @watched = true
        watch_method(Dir.singleton_class, :chdir)
        watch_method(Dir.singleton_class, :fchdir)
        watch_method(Dir, :chdir)
        watch_method(File.singleton_class, :umask) { |*mask| mask.any? }
        ENV_WRITERS.each { |name| watch_method(ENV.singleton_class, name) }
        watch_signals
        watch_lasting
      end

      def watch_method(owner, name, &counts)
        return unless owner.method_defined?(name)

        owner.prepend(Module.new do
          define_method(name) do |*arguments, &block|
            Surroundings.changed if counts.nil? || counts.call(*arguments)
            super(*arguments, &block)
          end
        end)
      end

      def watch_signals
        body = lambda do |signal, *command, &block|
          before = TRAP.call(signal, *command, &block)
          Surroundings.trapped(signal, before)
          before
        end
        [Signal.singleton_class, Kernel.singleton_class].each { |owner| owner.define_method(:trap, &body) }
        Kernel.define_method(:trap, &body)
        Kernel.send(:private, :trap)
      end

      def watch_lasting
        [[Process.singleton_class, %i[setsid setpgid setpgrp setrlimit daemon euid= uid= egid= gid=]],
         [Dir.singleton_class, %i[chroot]]].each do |owner, names|
          names.each do |name|
            watch_method(owner, name) do |*|
              Surroundings.lasting("#{name.to_s.delete("=")} of the process")
              true
            end
          end
        end
      end
    end
  end
end
