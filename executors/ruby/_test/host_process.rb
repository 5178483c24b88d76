# frozen_string_literal: true

require_relative "test_helper"
require "digest"
require "open3"
require "tmpdir"

# The host as a process, with the test as its worker.
module HostProcess
  HOST = File.expand_path("../tasker_host/host.rb", __dir__)
  PATIENCE = 120

  def setup
    @dir = File.realpath(Dir.mktmpdir)
    @ids = 0
    @seen = []
  end

  def teardown
    @to&.close
    Process.wait(@pid) if @pid
    FileUtils.rm_rf(@dir)
  end

  def write(name, text)
    path = File.join(@dir, name)
    FileUtils.mkdir_p(File.dirname(path))
    File.write(path, text)
    path
  end

  # through is a program that starts the host, with its arguments.
  def start(app_root: nil, app_handlers: nil, skip_files: nil, startup_ms: nil, callbacks: [], limits: {}, env: {}, through: [])
    host_in, @to = IO.pipe
    @from, host_out = IO.pipe
    @errors = Tempfile.new("stderr")
    @pid = spawn({ "TASKER_PROTOCOL" => "1", "TASKER_RPC_IN_FD" => "3", "TASKER_RPC_OUT_FD" => "4",
                   "TASKER_EXECUTOR_ID" => "ruby-1", **env }, *through, "ruby", HOST, 3 => host_in, 4 => host_out, out: @errors.path, err: %i[child out])
    host_in.close
    host_out.close
    @to.sync = true
    request("initialize", protocol_versions: [1], config: { handler_root: File.join(@dir, "handlers"), app_root: app_root, app_handlers: app_handlers, skip_files: skip_files }.compact,
                          limits: limits, timing: { startup_timeout_ms: startup_ms }.compact, capabilities: { callbacks: callbacks, payload_files: true })
  end

  def tell(message)
    line = "#{JSON.generate({ jsonrpc: "2.0", **message })}\n"
    @together ? @together << line : @to.write(line)
  end

  # Messages of the block are written together.
  def together
    @together = +""
    returned = yield
    @to.write(@together)
    returned
  ensure
    @together = nil
  end

  def request(method, **params)
    answer(send_request(method, **params))
  end

  def send_request(method, **params)
    id = "w#{@ids += 1}"
    tell(id: id, method: method, params: params)
    id
  end

  def begin_step(name, config: {}, id: "e1", **more)
    send_request("step.execute", execution_id: id, step: { id: "1", name: "s", attempt: 1 }, task: { id: "1", context: {} },
                                 handler: { name: name, config: config }, **more)
  end

  def step(name, **options)
    answer(begin_step(name, **options))
  end

  # Reads until a message that the block, or the id, takes. Everything else is kept in @seen.
  def await
    loop do
      raise "the host says nothing: #{File.read(@errors.path)}" unless @from.wait_readable(PATIENCE)

      line = @from.gets or raise "the host has ended: #{File.read(@errors.path)}"
      message = JSON.parse(line)
      return message if yield message

      @seen << message
    end
  end

  def answer(id)
    wanted = ->(m) { m["id"] == id && !m.key?("method") }
    message = @seen.find(&wanted) || await(&wanted)
    message["result"] || message["error"]
  end

  def notifications(method)
    @seen.select { |message| message["method"] == method }.map { |message| message["params"] }
  end
end
