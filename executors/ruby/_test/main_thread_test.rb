# frozen_string_literal: true

require_relative "host_process"

# A host whose main thread has ended exits. It sends no more responses, and its last line of stderr names the reason.
class MainThreadTest < Minitest::Test
  include HostProcess

  HANDLERS = <<~RUBY
    class Slow
      def process(*)
        sleep
      ensure
        File.write(ENV["LEFT"], "ensure")
      end
    end

    class Ends
      def process(_task, _sequence, step)
        case step.config[:how]
        when "error" then Thread.new { (Thread.current.abort_on_exception = true) && raise("part 3 of the\\nupload failed") }
        when "exit" then Thread.new { exit(4) }
        when "raise" then Thread.main.raise(IOError, "struck")
        when "hangup" then Process.kill("HUP", Process.pid)
        end
        sleep
      end
    end
  RUBY

  # how the main thread is ended, the last words, and the exit status or the signal
  ENDS = {
    "error" => [/RuntimeError: part 3 of the upload failed, in the thread started at .*ends\.rb:12\n\z/, 70],
    "exit" => [/a thread of a handler called exit with status 4, in the thread started at .*ends\.rb:13\n\z/, 4],
    "raise" => [/IOError: struck\n\z/, 70],
    "hangup" => [/it got the signal SIGHUP\n\z/, Signal.list["HUP"]]
  }.freeze

  ENDS.each do |how, (words, status)|
    define_method("test_a_host_whose_main_thread_is_ended_by_#{how}_sends_no_more_responses") do
      write("handlers/ends.rb", HANDLERS)
      start(env: { "LEFT" => File.join(@dir, "left") })
      begin_step("Slow", id: "slow")
      begin_step("Ends", id: "ends", config: { how: how })
      said = Timeout.timeout(PATIENCE) { @from.read }
      _pid, ended = Process.wait2(@pid)
      @pid = nil
      assert_empty said
      assert_match words, File.read(@errors.path)
      assert_equal status, ended.exitstatus || ended.termsig
      refute File.exist?(File.join(@dir, "left")), "the ensure of another step ran"
    end
  end
end
