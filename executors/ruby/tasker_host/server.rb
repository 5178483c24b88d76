# frozen_string_literal: true

require_relative "execution"
require_relative "exit"
require_relative "exit_report"
require_relative "fork"
require_relative "leader_follower"
require_relative "line_reader"
require_relative "loader"
require_relative "log"
require_relative "message"
require_relative "pool"
require_relative "process_state"
require_relative "rpc_error"
require_relative "session"
require_relative "thread_dump"
require_relative "wire"
require_relative "worker_client"

module TaskerHost
  # Reads and dispatches requests until the pipe closes. The reader's thread answers all requests except step.execute,
  # so a ping never waits for a step.
  class Server
    METHODS = {
      "initialize" => :open_session,
      "ping" => :ping,
      "shutdown" => :shutdown,
      "step.execute" => :execute
    }.freeze
    NOTIFICATIONS = { "step.cancel" => :cancel }.freeze
    # The ways of an execution to the worker.
    Channel = Struct.new(:client, :writer, :log)
    # The exit status of a host that cannot continue.
    INTERNAL_ERROR = 70

    def initialize(reader, output)
      @reader = reader
      @lines = [] # lines that are read and not yet dispatched
      @rotation = ReaderRotation.new { |leader| read(leader) }
      @writer = Writer.new(output)
      @draining = false
      TaskerHost.log = @log = Log.new(@writer)
    end

    # Serves until the worker closes the pipe. Then the process ends, because no result can be delivered.
    def run
      trap("TERM") { Thread.new { drain_and_exit } } # a trap handler may not take locks
      ThreadDump.on_signal
      Output.capture
      Fork.watch { release_in_child }
      @rotation.begin
      wait
    ensure
      go_down($!) unless Fork.child?
    end

    private

    # Waits in the main thread, which receives signals and errors of threads with abort_on_exception.
    def wait
      loop { sleep }
    rescue Exception => e # rubocop:disable Lint/RescueException -- `exit` in a thread is one, too
      raise if Fork.child? || !recycle_without_file(e)

      retry
    end

    # Handles an error of a thread that a file started while it was loaded: the next process does not load the file.
    # Returns false for another error.
    def recycle_without_file(error)
      failure = @opening&.fail_file(error) or return false
      status = { state: "recycle_me", reason: "#{failure[:file]} threw", load_error: failure }
      @writer.notify("executor.status", status) if @session
      true
    end

    # Ends the process after its main thread has ended. Sends nothing more, and does not run the `ensure` of other
    # threads.
    def go_down(cause)
      @writer.stop
      ExitReport.print(cause)
    ensure
      Exit.as(cause, failed: INTERNAL_ERROR, done: INTERNAL_ERROR)
    end

    def release_in_child
      Current.detach
      @writer.close_in_child
      @reader.close_in_child
      %w[TERM INT USR1].each { |signal| ProcessState::TRAP.call(signal, "DEFAULT") }
    end

    def read(leader)
      @writer.flush # the leader before may not have flushed
      loop do
        while (line = @lines.shift)
          @writer.hold unless @lines.empty?
          receive(line)
          return unless @rotation.leader?(leader)
        end
        @writer.flush
        @lines.concat(@reader.read_lines || exit!(0))
      end
    end

    def receive(line)
      message = parse(line) or return
      id = message["id"]
      result = dispatch(message, id)
      @writer.result(id, result) if result
    rescue Message::Unreadable => e
      answer_unreadable(line, "the request cannot be read: #{e.message}")
    rescue RpcError => e
      @writer.error(id || e.request_id, e)
    rescue StandardError, SystemStackError => e
      @writer.error(id, RpcError.new(RpcError::INTERNAL, "#{e.class}: #{Text.clip(e.message, 1000)}"))
    end

    # The message, or nil for a blank line.
    def parse(line)
      if line.is_a?(LineReader::Oversize)
        raise refused(line.head, RpcError::TOO_LARGE, "a message may have #{@reader.max_bytes} bytes")
      end

      line.force_encoding(Encoding::UTF_8)
      raise refused(line, RpcError::PARSE, "the message is not UTF-8") unless line.valid_encoding?

      message = Message.parse(line)
      return message if message.is_a?(Hash)

      raise RpcError.new(RpcError::INVALID_REQUEST, "a message is one JSON object")
    rescue JSON::ParserError => e
      raise refused(line, RpcError::PARSE, "not JSON: #{Text.clip(e.message, 200)}") unless line.strip.empty?
    end

    # An error for a line that cannot be decoded. It has an id only if the line is a step.execute request.
    def refused(line, code, message)
      id, method = Message.envelope(line)
      RpcError.new(code, message, request_id: method == "step.execute" ? id : nil)
    end

    # Answers a line that cannot be read: the step fails permanently, or the pending request gets an error.
    def answer_unreadable(line, reason)
      id, method = Message.envelope(line)
      if id && method == "step.execute"
        @writer.result(id, { outcome: "failure", failure: Failure.of_request(reason) })
      elsif id && method.nil?
        @channel&.client&.handle_response({ "id" => id, "error" => { "code" => RpcError::PARSE, "message" => reason } })
      else
        @writer.error(id, RpcError.new(RpcError::PARSE, reason))
      end
    end

    # The result to answer with, or nil if the response comes later or there is none.
    def dispatch(message, id)
      method = message["method"]
      return @channel&.client&.handle_response(message) && nil if method.nil?
      return notified(method, message["params"]) if id.nil? && !message.key?("id")

      unless id.is_a?(String) && method.is_a?(String) && message["jsonrpc"] == "2.0"
        hint = "a request has jsonrpc 2.0, a string as id and a string as method"
        raise RpcError.new(RpcError::INVALID_REQUEST, hint)
      end
      name = METHODS[method]
      raise RpcError.new(RpcError::UNKNOWN_METHOD, "unknown method #{Text.clip(method, 100)}") unless name

      handle(name, id, message["params"] || {})
    end

    def handle(name, id, params)
      raise RpcError.new(RpcError::BAD_PARAMS, "params must be an object") unless params.is_a?(Hash)

      send(name, id, params)
    end

    # Handles a notification. An invalid notification is ignored.
    def notified(method, params)
      name = NOTIFICATIONS[method]
      send(name, params) if name && params.is_a?(Hash)
      nil
    end

    def cancel(params)
      @pool&.cancel(params["execution_id"], (params["reason"] || "user").to_s, params["grace_ms"])
    end

    def open_session(id, params)
      raise RpcError.new(RpcError::INVALID_REQUEST, "initialized already") if @session

      session = @opening = Session.new(params)
      session.load { |file, error, frames| abort_load(id, file, error, frames) }
      @reader.max_bytes = session.max_message_bytes
      @channel = Channel.new(WorkerClient.new(@writer, session.callbacks, @rotation), @writer, @log)
      ProcessState.keep
      @pool = Pool.new(session.max_concurrency, @writer, @rotation)
      @session = session
      session.description
    end

    # Ends the process, because a file does not finish loading and cannot be ended. The next process does not load it.
    def abort_load(id, file, error, frames)
      error.set_backtrace(frames.to_a)
      data = { load_error: Failure.of_load(file, error) }
      @writer.error(id, RpcError.new(RpcError::NOT_LOADED, "#{file} does not finish loading", data))
      exit!(INTERNAL_ERROR)
    end

    def ping(_id, _params)
      age = @pool&.oldest_age
      result = { in_flight: in_flight }
      result[:oldest_ms] = (age * 1000).round if age
      rss = rss_bytes
      result[:rss_bytes] = rss if rss
      result
    end

    # The resident memory, on Linux.
    def rss_bytes
      File.read("/proc/self/statm").split[1].to_i * 4096
    rescue SystemCallError
      nil
    end

    def shutdown(_id, _params)
      @draining = true
      { in_flight: in_flight }
    end

    def execute(id, params)
      raise RpcError.new(RpcError::NOT_INITIALIZED, "initialize comes first") unless @session
      raise RpcError.new(RpcError::SHUTTING_DOWN, "this host takes no more steps") if @draining
      unless params["execution_id"].is_a?(String)
        raise RpcError.new(RpcError::BAD_PARAMS, "execution_id must be a string")
      end

      @pool.start(Execution.new(id, params, @session, @channel))
      nil
    end

    def in_flight
      @pool ? @pool.in_flight : 0
    end

    # SIGTERM: accepts no more steps, and exits when the running steps have ended or the grace is over.
    def drain_and_exit
      @draining = true
      exit!(0) unless @pool
      @pool.when_idle { exit!(0) }
      sleep(@session.shutdown_grace)
      exit!(0)
    end
  end
end
