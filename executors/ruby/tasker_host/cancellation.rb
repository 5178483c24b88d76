# frozen_string_literal: true

require_relative "mailbox"

module TaskerHost
  # Whether one execution is cancelled. Code is interrupted only within #interruptible.
  class Cancellation
    # How long a request to the worker may take after the cancel, if the worker names no grace.
    LATE_SECONDS = 5

    # One lock for all executions: it is held briefly, and most executions never need it.
    LOCK = Mutex.new

    attr_reader :reason

    def cancelled?
      !@reason.nil?
    end

    # Called by the reader. Ends waits for the worker, and interrupts blocks of #interruptible.
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

    # Waits for the value of the mailbox; returns nil when the seconds are over. A cancel ends the wait. A wait that
    # begins after the cancel, for example to save a checkpoint, may take half of the grace.
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

    # Catches a raise that came too late for the block. Otherwise it would interrupt the thread's next work.
    def absorb
      Thread.handle_interrupt(Tasker::Cancelled => :immediate) { Thread.pass }
    rescue Tasker::Cancelled
      nil
    end
  end
end
