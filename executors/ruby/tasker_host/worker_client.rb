# frozen_string_literal: true

require_relative "mailbox"

module TaskerHost
  # The host as a client of the worker: sends requests, and routes each response to the thread that waits for it.
  class WorkerClient
    # offered are the methods that the worker offers.
    def initialize(writer, offered, rotation = nil)
      @writer = writer
      @rotation = rotation
      @offered = offered.to_h { |method| [method, true] }
      @lock = Mutex.new
      @pending = {}
      @count = 0
    end

    def offers?(method)
      @offered.key?(method)
    end

    # Sends a request and returns the worker's response, a message. The execution's cancellation ends the wait.
    def request(method, params, cancellation)
      mailbox = Mailbox.new
      id = @lock.synchronize do
        id = "x#{@count += 1}"
        @pending[id] = mailbox
        id
      end
      @rotation&.yield_lead
      @writer.request(id, method, params)
      cancellation.await(mailbox)
    ensure
      @lock.synchronize { @pending.delete(id) }
    end

    # Passes a response to the thread that waits for it. A response that no thread waits for is ignored.
    def handle_response(message)
      mailbox = @lock.synchronize { @pending[message["id"]] }
      mailbox&.put(message)
    end
  end
end
