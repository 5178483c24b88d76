# frozen_string_literal: true

require_relative "host_process"

# One file takes down no other: it is named, and left out.
class LoadingTest < Minitest::Test
  include HostProcess

  GOOD = "class Good; def process(*) = 1; end"

  def problems(ready)
    ready["load_errors"].map { |error| error.values_at("file", "class") }
  end

  # What a file does that does not come to its end.
  {
    "sleeps" => "sleep", "computes" => "loop { }", "rescues" => "begin; sleep; rescue => e; retry; end",
    "reads" => "IO.pipe.first.read"
  }.each do |how, code|
    define_method("test_a_file_that_#{how}_for_ever_is_named_and_the_others_serve") do
      write("handlers/a_hangs.rb", "class Hangs; def process(*) = 1; end\n#{code}")
      write("handlers/b_good.rb", GOOD)
      ready = start(startup_ms: 1000)
      assert_equal [["a_hangs.rb", "Tasker::LoadTimeout"]], problems(ready)
      assert_match(/a_hangs.rb:2/, ready["load_errors"][0]["backtrace"][0])
      assert_equal ["Good"], ready["handlers"].map { |handler| handler["name"] }
      assert_equal 1, step("Good")["result"]
    end
  end

  def test_a_file_that_cannot_be_ended_is_named_for_the_next_process
    write("handlers/a_hangs.rb", "begin; sleep; rescue Exception; retry; end")
    write("handlers/b_good.rb", GOOD)
    error = start(startup_ms: 1000)
    assert_equal [-32_004, "a_hangs.rb", "Tasker::LoadTimeout"],
                 [error["code"], *error["data"]["load_error"].values_at("file", "class")]
    Process.wait(@pid)
    assert_empty problems(start(startup_ms: 1000, skip_files: ["a_hangs.rb"]))
    assert_equal 1, step("Good")["result"]
  end

  # The file has a low priority, and shares the only processor with another program.
  STARVED = <<~RUBY
    Process.setpriority(Process::PRIO_PROCESS, 0, 10)
    used = -> { Process.clock_gettime(Process::CLOCK_THREAD_CPUTIME_ID) }
    ends = used.call + 0.2
    nil while used.call < ends
  RUBY

  def test_a_file_that_others_keep_from_the_processor_is_waited_for
    skip "taskset is not installed" unless system("taskset", "-c", "0", "true", err: IO::NULL)

    started, out = IO.pipe
    busy = spawn("taskset", "-c", "0", "ruby", "-e", "$stdout.syswrite(1); loop {}", out: out)
    started.read(1)
    write("handlers/starved.rb", "#{STARVED}class Starved; def process(*) = 1; end")
    assert_empty problems(start(startup_ms: 2000, through: %w[taskset -c 0]))
  ensure
    busy && Process.kill(:KILL, busy) && Process.wait(busy)
  end

  # What a thread does that a file starts, after the file has ended.
  { "raises" => 'raise "late"', "exits" => "exit(3)" }.each do |how, code|
    define_method("test_a_file_whose_thread_#{how}_while_others_load_is_named_and_left_out") do
      write("handlers/a_late.rb", "class Late; def process(*) = 1; end\nThread.abort_on_exception = true\nThread.new { #{code} }")
      write("handlers/b_good.rb", "sleep 0.2\n#{GOOD}")
      ready = start
      assert_equal ["a_late.rb"], problems(ready).map(&:first)
      assert_equal ["Good"], ready["handlers"].map { |handler| handler["name"] }
      assert_equal 1, step("Good")["result"]
    end

    define_method("test_a_file_whose_thread_#{how}_later_is_named_and_the_process_replaced") do
      File.mkfifo(fifo = File.join(@dir, "fifo"))
      write("handlers/a_late.rb", "Thread.abort_on_exception = true\nThread.new { File.read(#{fifo.inspect}); #{code} }\n#{GOOD}")
      assert_empty problems(start)
      File.write(fifo, "")
      status = await { |message| message["method"] == "executor.status" }["params"]
      assert_equal ["recycle_me", "a_late.rb"], [status["state"], status["load_error"]["file"]]
      assert_equal 1, step("Good")["result"]
    end
  end

  def test_exit_in_a_file_is_an_error_of_the_file
    write("handlers/a_exits.rb", "exit!(0)")
    write("handlers/b_exits.rb", "exit(0)")
    write("handlers/c_exits.rb", "Process.exit!")
    write("handlers/d_good.rb", GOOD)
    ready = start
    assert_equal %w[a_exits.rb b_exits.rb c_exits.rb].product(["SystemExit"]), problems(ready)
    assert_equal 1, step("Good")["result"]
  end

  def test_a_file_is_what_its_path_leads_to
    write("lib/pay.rb", "LOADED = defined?(LOADED) ? 2 : 1\nclass Pay; def process(*) = [LOADED, Own.name]; end")
    write("lib/shop/more.rb", "class More; def process(*) = 1; end")
    write("handlers/own.rb", "class Own; def process(*) = 1; end")
    { "pay.rb" => "../lib/pay.rb", "z_pay.rb" => "../lib/pay.rb", "a_own.rb" => "own.rb", "gone.rb" => "nowhere.rb", "more" => "../lib/shop",
      "notes.txt" => "nowhere.txt" }.each { |link, target| File.symlink(target, File.join(@dir, "handlers", link)) }
    File.mkfifo(File.join(@dir, "handlers/pipe.rb"))
    ready = start
    assert_equal [["Own", "own.rb"], ["Pay", "pay.rb"]], ready["handlers"].map { |handler| handler.values_at("name", "file") }
    assert_equal [1, "Own"], step("Pay")["result"]
    assert_equal ["ruby/a_own.rb is not loaded: it is the same file as own.rb",
                  "ruby/gone.rb is not loaded: it is a link that leads nowhere",
                  "ruby/more is not loaded: it is a link to a folder, and those are not followed",
                  "ruby/pipe.rb is not loaded: it is no file",
                  "ruby/z_pay.rb is not loaded: it is the same file as pay.rb"],
                 notifications("log").map { |record| record["message"] }.sort
  end
end
