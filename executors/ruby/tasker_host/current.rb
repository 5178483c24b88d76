# frozen_string_literal: true

require_relative "fork"

module TaskerHost
  # Which execution a thread works for. Threads inherit the group of the thread that starts them, so what a handler's
  # own threads do is known to be its work, too.
  class Current < ThreadGroup
    attr_accessor :execution

    class << self
      # Whether the calling thread is one that outlived the execution that started it.
      def left_over?
        group = Thread.current.group
        group.is_a?(Current) && group.execution.nil? && !Fork.child?
      end

      # The execution that the calling thread works for, or nil.
      def execution
        group = Thread.current.group
        group.execution if group.is_a?(Current)
      end

      # The calling thread, and those that it starts, work for nobody any more.
      def forget
        group = Thread.current.group
        group.execution = nil if group.is_a?(Current)
      end

      # Runs the block as the given execution. Threads that outlive it belong to nobody.
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
