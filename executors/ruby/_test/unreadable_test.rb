# frozen_string_literal: true

require_relative "host_process"

# A line that cannot be read is answered at once, by its id where that can be seen.
class UnreadableTest < Minitest::Test
  include HostProcess

  def setup
    super
    write("handlers/echo.rb", "class Echo; def process(task, *) = task.context['v']; end")
    start(limits: { max_message_bytes: 1 << 16 })
  end

  def line(value, id: "q1", method: "step.execute")
    %({"jsonrpc":"2.0","params":{"id":"other","execution_id":"e","step":{"id":"1","name":"s"},"task":{"id":"1","context":{"v":#{value}}},) +
      %("handler":{"name":"Echo","config":{}}},"id":"#{id}","method":"#{method}"}\n)
  end

  def answer_to(text)
    @to.write(text)
    await { |message| message.key?("result") || message.key?("error") }
  end

  def test_values_that_ruby_cannot_hold_fail_the_step_for_good
    { "-#{"9" * 400}.5" => "-9999999999999999999... (403 characters)",
      "0.#{"0" * 330}1" => "0.000000000000000000... (333 characters)" }.each do |number, shown|
      got = answer_to(line(number))
      failure = got["result"]["failure"]
      assert_equal ["q1", "permanent", "Tasker::InvalidArguments", "the request cannot be read: it holds the number #{shown}, which Ruby cannot hold"],
                   [got["id"], *failure.values_at("kind", "class", "message")]
    end
    failure = answer_to(line("[" * 200 + "]" * 200))["result"]["failure"]
    assert_equal "the request cannot be read: it is nested more than 100 deep", failure["message"]
  end

  def test_values_that_ruby_can_hold_arrive
    { "1e308" => 1e308, "0e999" => 0.0, "-0.0" => -0.0, "5e-324" => 5e-324, "9" * 5000 => ("9" * 5000).to_i, "1.5" => 1.5 }.each do |text, value|
      assert_equal value, answer_to(line(text))["result"]["result"], text
    end
  end

  def test_lines_that_are_no_json_are_refused_by_their_id
    cut = line('"x"', id: "q7").sub(/"method".*\n/, %("method":"step.execute",}\n))
    assert_equal ["q7", -32_700], answer_to(cut).then { |got| [got["id"], got["error"]["code"]] }
    head = %({"jsonrpc":"2.0","id":"q8","method":"step.execute","params":{"x":")
    assert_equal ["q8", -32_700], answer_to("#{head}\xff\"}}\n").then { |got| [got["id"], got["error"]["code"]] }
    assert_equal ["q8", -32_007], answer_to("#{head}#{"y" * (1 << 17)}\"}}\n").then { |got| [got["id"], got["error"]["code"]] }
    assert_equal [nil, -32_700], answer_to("garbage\n").then { |got| [got["id"], got["error"]["code"]] }
    assert_equal 7, answer_to(line(7))["result"]["result"]
  end
end
