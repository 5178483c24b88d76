# frozen_string_literal: true

require_relative "host_process"

# What a fork inherits of the host belongs to the process that was asked.
class ForkTest < Minitest::Test
  include HostProcess

  # The parent answers when its child has ended, with how.
  FORKS = <<~RUBY
    at_exit { File.write(ENV["LEFT"], "at_exit", mode: "a") }
    class Forks
      def process(_task, _sequence, step)
        how = step.config[:how]
        lock = Mutex.new
        held = Queue.new
        Thread.new { lock.synchronize { held << 1; sleep } }
        held.pop
        pid = how == "block" ? fork { in_child(how, step, lock) } : fork
        return in_child(how, step, lock) if pid.nil?

        _, status = Process.wait2(pid)
        { "who" => "parent", "status" => status.exitstatus, "signal" => status.termsig }
      end

      def in_child(how, step, lock)
        lock.synchronize { Tasker.logger&.info("logged by the child") }
        puts "printed by the child"
        step.heartbeat(0.5)
        opened = File.open(ENV["LEFT"], "a")
        opened.write("written ")
        case how
        when "raise" then raise "the child fails"
        when "exit" then exit(3)
        when "ask" then step.lease
        when "end" then Thread.exit
        when "term" then Process.kill("TERM", Process.pid) && sleep
        when "again" then Process.wait(fork || exit!(0))
        end
        { "who" => "child" }
      end
    end
  RUBY

  # how the child ends, and the status that its parent sees
  ENDS = { "return" => 0, "block" => 0, "raise" => 1, "exit" => 3, "ask" => 1, "end" => 0, "again" => 0 }.freeze

  def test_only_the_process_that_was_asked_answers
    write("handlers/forks.rb", FORKS)
    start(callbacks: ["step.lease"], env: { "LEFT" => File.join(@dir, "left") })
    ENDS.each do |how, status|
      assert_equal({ "who" => "parent", "status" => status, "signal" => nil }, step("Forks", id: how, config: { how: how })["result"], how)
    end
    request("ping")
    assert_empty @seen, "what the children said to the worker"
    assert_equal "written " * ENDS.size, File.read(File.join(@dir, "left"))
    said = File.read(@errors.path)
    assert_equal ENDS.size, said.scan("printed by the child").size
    assert_equal ENDS.size, said.scan("logged by the child").size
    assert_includes said, "the child fails (RuntimeError)"
    assert_includes said, "step.lease is for the process that runs the step; this is a fork of it"
  end

  def test_a_signal_ends_a_fork_though_the_host_would_drain
    write("handlers/forks.rb", FORKS)
    start(env: { "LEFT" => File.join(@dir, "left") })
    assert_equal Signal.list["TERM"], step("Forks", config: { how: "term" })["result"]["signal"]
  end

  def test_a_fork_does_not_keep_the_pipes_open
    write("handlers/leaves.rb", "class Leaves; def process(*) = fork { sleep 30 }; end")
    start
    child = step("Leaves")["result"]
    @to.close
    Process.wait(@pid)
    @pid = @to = nil
    assert @from.wait_readable(PATIENCE), "the pipe has no end"
    assert_nil @from.gets
  ensure
    Process.kill("KILL", child) if child
    @to = nil if @to&.closed?
  end
end
