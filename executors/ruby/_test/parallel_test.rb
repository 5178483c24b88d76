# frozen_string_literal: true

require_relative "host_process"

# What is made when it is first needed, and needed by several steps or threads at once.
class ParallelTest < Minitest::Test
  include HostProcess

  THREADS = 5

  # Each step waits for the other steps. Then all use the constant.
  RACE = <<~RUBY
    class Race
      ARRIVED = Queue.new
      def process(_task, _sequence, step)
        ARRIVED << 1
        Thread.pass until ARRIVED.size >= #{THREADS}
        Object.const_get(step.config[:path]).equal?(Object.const_get(step.config[:path])) && Object.const_get(step.config[:path]).name
      end
    end
  RUBY

  def race(path)
    (1..THREADS).map { |n| begin_step("Race", id: "r#{n}", config: { path: path }) }.map { |id| answer(id)["result"] }
  end

  def test_steps_that_first_name_rails_at_once_get_the_same
    slow = 'TracePoint.new(:class) { |point| sleep 0.05 if point.path.end_with?("rails_stand_in.rb") }.enable'
    write("handlers/race.rb", "#{slow}\n#{RACE}")
    start
    assert_equal ["TaskerHost::RailsStandIn"] * THREADS, race("Rails")
    assert_equal ["TaskerHost::RailsStandIn"] * THREADS, race("Rails")
  end

  def test_steps_that_first_name_a_library_at_once_get_the_same
    write("lib/faraday.rb", "sleep 0.1\nmodule Faraday; end")
    write("handlers/race.rb", RACE)
    start(env: { "RUBYLIB" => File.join(@dir, "lib") })
    assert_equal ["Faraday"] * THREADS, race("Faraday")
  end

  def test_secrets_that_are_given_at_once_are_all_cut_out
    secrets = (1..200).map { |n| "secret-#{n}." }
    secrets.each_slice(20).map { |some| Thread.new { some.each { |secret| TaskerHost::Secrets.add(secret) && Thread.pass } } }.each(&:join)
    secrets.each { |secret| refute_includes TaskerHost::Secrets.redact(secret), secret }
  end

  def test_what_the_threads_of_a_step_print_at_once_is_kept
    write("handlers/prints.rb", <<~RUBY)
      class Prints
        def process(*)
          gate = Queue.new
          threads = (1..20).map { |n| Thread.new { gate.pop; $stdout.write("line \#{n}\\n") } }
          20.times { gate << 1 }
          threads.each(&:join)
        end
      end
    RUBY
    start
    step("Prints")
    assert_equal (1..20).map { |n| "line #{n}" }.sort, notifications("log").map { |record| record["message"] }.sort
  end
end
