# frozen_string_literal: true

require_relative "mailbox"

module TaskerHost
  # Whether one execution is still wanted. Code is never interrupted unless it has asked to be (#interruptible).
  class Cancellation
    # How long a request to the worker may take after the cancel, when the worker names no grace.
    LATE_SECONDS = 5

    # One for all: it is held for moments, and most executions never need it.
    LOCK = Mutex.new

    attr_reader :reason

    def cancelled?
      !@reason.nil?
    end

    # Called by the reader. What waits for the worker, and what asked to be interrupted, ends now.
    def cancel(reason, grace_ms = nil)
      LOCK.synchronize do
        return if @reason

        @late_seconds = grace_ms.is_a?(Integer) && grace_ms.positive? ? grace_ms / 2000.0 : LATE_SECONDS
        @reason = reason
        @waiting&.each { |mailbox| mailbox.put(self) }
        @interruptible&.each { |scope| interrupt(scope) }
      end
    end

    def check!
      raise error if cancelled?
    end

    def error
      Tasker::Cancelled.new(reason: @reason)
    end

    # Waits for what is put into the mailbox; nil when the seconds are over. A cancel ends the waiting. What is asked for
    # after the cancel, like the checkpoint of a step that winds up, gets part of the grace.
    def await(mailbox, seconds = nil)
      late = LOCK.synchronize do
        (@waiting ||= []) << mailbox unless @reason
        @reason
      end
      value = mailbox.take(late ? [seconds, @late_seconds].compact.min : seconds)
      raise error if value.equal?(self) || (late && value.nil?)

      value
    ensure
      LOCK.synchronize { @waiting&.delete(mailbox) }
    end

    # Runs the block so that a cancel raises Tasker::Cancelled in it wherever it sleeps or waits.
    def interruptible
      check!
      scope = { thread: Thread.current, raised: false }
      Thread.handle_interrupt(Tasker::Cancelled => :never) do
        LOCK.synchronize { (@interruptible ||= []) << scope }
        check!
        Thread.handle_interrupt(Tasker::Cancelled => :on_blocking) { yield }
      ensure
        LOCK.synchronize { @interruptible.delete(scope) }
        absorb if scope[:raised]
      end
    end

    private

    def interrupt(scope)
      scope[:raised] = true
      scope[:thread].raise(error)
    end

    # A raise that came too late for the block must not strike whatever this thread does next.
    def absorb
      Thread.handle_interrupt(Tasker::Cancelled => :immediate) { Thread.pass }
    rescue Tasker::Cancelled
      nil
    end
  end
end
