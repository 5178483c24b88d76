# frozen_string_literal: true

require_relative "exit"

module TaskerHost
  # What a fork inherits of this host belongs to the process that was asked: a child of it says nothing to the worker, handles no
  # signal as the host does, and ends without what others registered to be done at the exit of the host.
  module Fork
    @child = false

    class << self
      # Whether this process is a fork of the host.
      def child?
        @child
      end

      # Notices forks from now on. The block is called in each of them, to let go of what is the host's.
      def watch(&release)
        @release = release
        Process.singleton_class.prepend(Daemon)
        return Process.singleton_class.prepend(Hook) if Process.respond_to?(:_fork)

        [Kernel, Kernel.singleton_class, Process.singleton_class].each { |owner| owner.prepend(OldHook) } # Ruby before 3.1
      end

      # To be called in a child, once it is one.
      def entered
        return if @child

        @child = true
        @inherited = ObjectSpace.each_object(IO).to_h { |io| [io, true] }.compare_by_identity
        @release.call
        at_exit { leave($!) } # before those that were there before
      end

      # Ends the child as error, or its absence, asks for. What it has written itself is kept.
      def leave(error)
        say(error)
        ObjectSpace.each_object(IO) { |io| flush(io) unless @inherited.key?(io) }
      ensure
        Exit.as(error)
      end

      private

      def say(error)
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

    # Where every fork of Ruby passes.
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

    # Forks, too, and the host ends in it.
    module Daemon
      def daemon(*)
        super.tap { Fork.entered }
      end
    end
  end
end
