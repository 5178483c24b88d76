# frozen_string_literal: true

require_relative "exit"

module TaskerHost
  # What a forked child must not do with the state that it inherits from the host: it sends nothing to the worker, does
  # not handle signals as the host does, and ends without the at-exit hooks of the host.
  module Fork
    @child = false

    class << self
      # Whether this process is a fork of the host.
      def child?
        @child
      end

      # Notices forks from now on. The block is called in each child, to release what belongs to the host.
      def watch(&release)
        @release = release
        Process.singleton_class.prepend(Daemon)
        return Process.singleton_class.prepend(Hook) if Process.respond_to?(:_fork)

        # Ruby before 3.1
        [Kernel, Kernel.singleton_class, Process.singleton_class].each { |owner| owner.prepend(OldHook) }
      end

      # Called in a child after the fork.
      def entered
        return if @child

        @child = true
        @inherited = ObjectSpace.each_object(IO).to_h { |io| [io, true] }.compare_by_identity
        @release.call
        at_exit { leave($!) } # runs before the hooks of the host
      end

      # Ends the child as error, or nil, would end it. Flushes the files that the child itself has opened.
      def leave(error)
        print(error)
        ObjectSpace.each_object(IO) { |io| flush(io) unless @inherited.key?(io) }
      ensure
        Exit.as(error)
      end

      private

      def print(error)
        return if error.nil? || error.is_a?(SystemExit) || error.is_a?(SignalException)

        $stderr.write("#{error.full_message(highlight: false)}\n")
      rescue StandardError
        nil
      end

      def flush(io)
        io.flush unless io.closed?
      rescue SystemCallError, IOError # not opened for writing, for example
        nil
      end
    end

    # Ruby calls _fork for every fork.
    module Hook
      def _fork
        super.tap { |pid| Fork.entered if pid.zero? }
      end
    end

    module OldHook
      def fork
        return super.tap { |pid| Fork.entered if pid.nil? } unless block_given?

        super do
          Fork.entered
          yield
        end
      end
    end

    # Process.daemon forks too, and the parent ends.
    module Daemon
      def daemon(*)
        super.tap { Fork.entered }
      end
    end
  end
end
