# frozen_string_literal: true

require_relative "test_helper"

# In a process of its own, because what a process shares is watched in all of it.
class ProcessStateTest < Minitest::Test
  WATCHED = File.expand_path("../tasker_host/process_state.rb", __dir__)

  def changed(code)
    script = <<~RUBY
      require #{WATCHED.inspect}
      process_state = TaskerHost::ProcessState
      process_state.keep
      #{code}
    RUBY
    IO.popen(["ruby", "-e", script], err: %i[child out], &:read)
  end

  def test_a_change_that_lasts_while_other_steps_run_is_reported_once
    assert_equal "[0, 0, 1, 0]", changed(<<~RUBY)
      ENV["LEFT"] = "1"
      print [0, 9, 11, 12].map { |now| process_state.lingering(now).size }
    RUBY
  end

  def test_a_change_that_was_undone_is_not_reported
    assert_equal "[0, 0, 0]", changed(<<~RUBY)
      Dir.chdir("/") { ENV.delete("LEFT") }
      print [0, 11, 12].map { |now| process_state.lingering(now).size }
    RUBY
  end

  def test_patience_begins_anew_when_everything_was_put_back
    assert_equal "[0, 0, 1]", changed(<<~RUBY)
      2.times do |time|
        process_state.restore if time == 1
        ENV["LEFT"] = "1"
        print "[" if time.zero?
        print process_state.lingering(time * 20).size, ", "
      end
      print process_state.lingering(30).size, "]"
    RUBY
  end
end
