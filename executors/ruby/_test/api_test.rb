# frozen_string_literal: true

require_relative "test_helper"
require "socket"

# API handlers against a server of their own.
class ApiTest < Minitest::Test
  class Get < Tasker::StepHandler::Api
    def process(_task, _sequence, _step)
      connection.get("/items", { q: "a b" })
    end
  end

  class Posts < Tasker::StepHandler::Api
    def process(_task, _sequence, _step)
      connection.post("items") { |request| request.body = { a: 1 }.to_json }
    end

    def process_results(step, output, _initial)
      step.results = JSON.parse(output.body)
    end
  end

  # Answers every request with the given status; the body is what was asked.
  def serve(status, headers = "")
    server = TCPServer.new("127.0.0.1", 0)
    thread = Thread.new do
      loop do
        client = server.accept
        head = client.readline("\r\n\r\n")
        length = head[/content-length: (\d+)/i, 1].to_i
        body = { "line" => head.lines.first.strip, "sent" => client.read(length), "type" => head[/^content-type: (\S+)/i, 1] }.to_json
        client.write("HTTP/1.1 #{status} X\r\n#{headers}content-length: #{body.bytesize}\r\nconnection: close\r\n\r\n#{body}")
        client.close
      end
    end
    yield "http://127.0.0.1:#{server.addr[1]}/api"
  ensure
    thread&.kill
    server&.close
  end

  def answer(status, headers: "", attempt: 1, handler: Get, **config)
    serve(status, headers) { |url| return run_handler(handler, config: { url: url, **config }, attempt: attempt) }
  end

  def test_success_stores_status_body_and_headers
    [200, 201, 226].each do |status|
      got = answer(status)
      assert got.success?, got.failure.inspect
      assert_equal status, got.result["status"]
      assert_equal "GET /items?q=a+b HTTP/1.1", JSON.parse(got.result["body"])["line"]
      assert got.result["response_headers"]["content-length"]
    end
  end

  def test_process_results_sees_the_response
    got = answer(200, handler: Posts)
    assert_equal({ "line" => "POST /api/items HTTP/1.1", "sent" => '{"a":1}', "type" => "application/json" }, got.result)
  end

  def test_permanent_statuses
    [400, 401, 403, 404, 422].each do |status|
      got = answer(status)
      assert got.permanent?, status
      assert_equal ["HTTP_#{status}", status], [got.failure.code, got.failure.details["response_status"]]
    end
  end

  def test_everything_else_is_retried_without_a_pause_of_its_own
    [302, 409, 418, 500, 502, 504].each do |status|
      got = answer(status, headers: "retry-after: 9\r\n", enable_exponential_backoff: true)
      assert got.retryable?, status
      assert_nil got.failure.retry_after
    end
  end

  def test_retry_after
    assert_equal 30.0, answer(429, headers: "Retry-After: 30\r\n").failure.retry_after
    assert_equal 300.0, answer(503, headers: "Retry-After: 9000\r\n").failure.retry_after
    assert_includes 50.0..61.0, answer(503, headers: "Retry-After: #{(Time.now + 60).httpdate}\r\n").failure.retry_after
    assert_equal 1.0, answer(503, headers: "Retry-After: #{(Time.now - 60).httpdate}\r\n").failure.retry_after
    assert_nil answer(503, headers: "Retry-After: soon\r\n").failure.retry_after
  end

  def test_exponential_backoff_only_when_asked_for
    assert_nil answer(429).failure.retry_after
    assert_equal 1.0, answer(429, enable_exponential_backoff: true).failure.retry_after
    assert_equal 4.0, answer(503, enable_exponential_backoff: true, attempt: 3).failure.retry_after
    assert_includes 44.0..54.0, answer(503, enable_exponential_backoff: true, attempt: 7).failure.retry_after
  end

  def test_a_server_that_is_not_there_is_retried
    got = run_handler(Get, config: { url: "http://127.0.0.1:1" })
    assert got.retryable?
  end

  def test_defaults_of_a_config_made_in_code
    config = Tasker::StepHandler::Api::Config.new(url: "http://x")
    assert_equal [{}, nil, 1.0, true], [config.params, config.ssl, config.retry_delay, config.enable_exponential_backoff]
    assert_equal "application/json", config.headers["Accept"]
    assert_includes 0..1, config.jitter_factor
  end
end
