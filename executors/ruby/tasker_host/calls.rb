# frozen_string_literal: true

require_relative "mailbox"

module TaskerHost
  # Requests from this host to the worker, and the answers to them.
  class Calls
    def initialize(writer, offered, turns = nil)
      @writer = writer
      @turns = turns
      @offered = offered.to_h { |method| [method, true] }
      @lock = Mutex.new
      @waiting = {}
      @count = 0
    end

    def offers?(method)
      @offered.key?(method)
    end

    # The worker's answer, a message. Waiting ends with the execution's cancellation.
    def ask(method, params, cancellation)
      mailbox = Mailbox.new
      id = @lock.synchronize do
        id = "x#{@count += 1}"
        @waiting[id] = mailbox
        id
      end
      @turns&.leave
      @writer.request(id, method, params)
      cancellation.await(mailbox)
    ensure
      @lock.synchronize { @waiting.delete(id) }
    end

    # Hands a response of the worker to whoever asked; one that nobody waits for is ignored.
    def answered(message)
      mailbox = @lock.synchronize { @waiting[message["id"]] }
      mailbox&.put(message)
    end
  end
end
