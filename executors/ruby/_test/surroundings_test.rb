# frozen_string_literal: true

require_relative "test_helper"

# In a process of its own, because what a process shares is watched in all of it.
class SurroundingsTest < Minitest::Test
  WATCHED = File.expand_path("../tasker_host/surroundings.rb", __dir__)

  def changed(code)
    script = <<~RUBY
      require #{WATCHED.inspect}
      surroundings = TaskerHost::Surroundings
      surroundings.keep
      #{code}
    RUBY
    IO.popen(["ruby", "-e", script], err: %i[child out], &:read)
  end

  def test_a_change_that_lasts_beside_others_is_told_once
    assert_equal "[0, 0, 1, 0]", changed(<<~RUBY)
      ENV["LEFT"] = "1"
      print [0, 9, 11, 12].map { |now| surroundings.lingering(now).size }
    RUBY
  end

  def test_what_was_undone_is_not_told
    assert_equal "[0, 0, 0]", changed(<<~RUBY)
      Dir.chdir("/") { ENV.delete("LEFT") }
      print [0, 11, 12].map { |now| surroundings.lingering(now).size }
    RUBY
  end

  def test_patience_begins_anew_when_everything_was_put_back
    assert_equal "[0, 0, 1]", changed(<<~RUBY)
      2.times do |time|
        surroundings.restore if time == 1
        ENV["LEFT"] = "1"
        print "[" if time.zero?
        print surroundings.lingering(time * 20).size, ", "
      end
      print surroundings.lingering(30).size, "]"
    RUBY
  end
end
