# frozen_string_literal: true

require_relative "fork"

module TaskerHost
  # The execution to which a thread belongs. A thread inherits the group of the thread that starts it, so the threads of
  # a handler belong to its execution, too.
  class Current < ThreadGroup
    attr_accessor :execution

    class << self
      # Whether the calling thread has outlived the execution that started it.
      def left_over?
        group = Thread.current.group
        group.is_a?(Current) && group.execution.nil? && !Fork.child?
      end

      # The execution to which the calling thread belongs, or nil.
      def execution
        group = Thread.current.group
        group.execution if group.is_a?(Current)
      end

      # Detaches the calling thread, and the threads that it starts, from the execution.
      def detach
        group = Thread.current.group
        group.execution = nil if group.is_a?(Current)
      end

      # Runs the block as the given execution. Threads that outlive the block belong to no execution.
      def within(execution)
        group = new
        group.execution = execution
        group.add(Thread.current)
        yield
      ensure
        group.execution = nil
      end
    end
  end
end
