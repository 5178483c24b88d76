# frozen_string_literal: true

require_relative "host_process"

# The host as a process, with this test as its worker.
class HostTest < Minitest::Test
  include HostProcess

  def test_constants_are_found_by_path
    write("handlers/a_first.rb", "class Shop::Charge\n  GATEWAY = Shop::HTTPGateway\n  def process(*) = [GATEWAY.name, Late.name]\nend\n")
    write("handlers/shop/http_gateway.rb", "module Shop; class HTTPGateway; end; end")
    write("handlers/shop/charge/late.rb", "class Shop::Charge; class Late; end; end")
    write("handlers/wrong.rb", "Shop::Nowhere")
    ready = start
    assert_equal [["wrong.rb", "NameError"]], ready["load_errors"].map { |error| error.values_at("file", "class") }
    assert_equal %w[Shop::HTTPGateway Shop::Charge::Late], step("Shop::Charge")["result"]
  end

  def test_bases_are_not_served_and_exclusive_handlers_are_told
    write("handlers/base.rb", "class Base1 < Tasker::StepHandler::Base; end\nclass Alone < Base1\n  exclusive!\n" \
                              "  def process(*) = File.read(config[:fifo])\nend\nclass Other < Base1; def process(*) = 1; end")
    File.mkfifo(fifo = File.join(@dir, "fifo"))
    assert_equal [{ "name" => "Alone", "file" => "base.rb", "exclusive" => true }, { "name" => "Other", "file" => "base.rb" }],
                 start["handlers"]
    alone = begin_step("Alone", config: { fifo: fifo })
    assert_equal(-32_005, step("Other", id: "e2")["code"])
    File.write(fifo, "done")
    assert_equal "done", answer(alone)["result"]
    assert_equal 1, step("Other", id: "e3")["result"]
  end

  def test_cancel_is_seen_and_answered_once
    write("handlers/waits.rb", "class Waits\n  def process(_t, _s, step)\n    puts 'started'\n    step.sleep(60)\n  end\nend")
    start
    id = begin_step("Waits")
    await { |message| message["method"] == "log" }
    tell(method: "step.cancel", params: { execution_id: "unknown", reason: "user" })
    tell(method: "step.cancel", params: { execution_id: "e1", reason: "timeout", grace_ms: 1000 })
    assert_equal "cancelled", answer(id)["outcome"]
  end

  def test_callbacks_wait_for_the_rate_and_end_with_the_cancel
    write("handlers/asks.rb", "class Asks\n  def process(_t, _s, step) = step.lease\nend")
    start(callbacks: ["step.lease"])
    id = begin_step("Asks")
    ask = await { |message| message["method"] == "step.lease" }
    assert_equal "e1", ask["params"]["execution_id"]
    tell(id: ask["id"], error: { code: -32_022, message: "rate_limited", data: { retry_after_ms: 10 } })
    await { |message| message["method"] == "step.lease" }
    tell(method: "step.cancel", params: { execution_id: "e1", reason: "user" })
    assert_equal "cancelled", answer(id)["outcome"]
  end

  MOODY = <<~RUBY
    # Fast, unless the config asks for a wait. Its result is whether it ran on the thread that reads.
    class Moody
      def process(_task, _sequence, step)
        File.read(step.config[:wait_for]) if step.config[:wait_for]
        step.lease if step.config[:ask]
        Thread.exit if step.config[:leave]
        caller.any? { |line| line.include?("leader_follower.rb") }
      end
    end
  RUBY

  def start_moody(**options)
    write("handlers/moody.rb", MOODY)
    File.mkfifo(@fifo = File.join(@dir, "fifo"))
    start(**options)
    warm_up
  end

  def warm_up
    100.times { |n| return if step("Moody", id: "warm#{n}")["result"] }
    flunk "a fast handler never runs on the thread that reads"
  end

  def test_fast_handlers_that_wait_for_once_keep_nothing_waiting
    start_moody
    3.times do |n| # each time, another thread reads on
      waiting = begin_step("Moody", config: { wait_for: @fifo })
      assert_equal 1, request("ping")["in_flight"]
      assert_equal "success", step("Moody", id: "quick#{n}")["outcome"]
      File.write(@fifo, "")
      assert_equal "success", answer(waiting)["outcome"]
    end
  end

  def test_fast_handlers_that_are_sent_together_are_answered_though_one_of_them_waits
    start_moody
    ids = together do
      [{}, {}, { wait_for: @fifo }, {}].each_with_index.map { |config, n| begin_step("Moody", config: config, id: "e#{n}") }
    end
    [0, 1, 3].each { |n| assert_equal "success", answer(ids[n])["outcome"] }
    File.write(@fifo, "")
    assert_equal "success", answer(ids[2])["outcome"]
  end

  def test_fast_handlers_that_ask_the_worker_get_the_answer
    start_moody(callbacks: ["step.lease"])
    id = begin_step("Moody", config: { ask: true })
    ask = await { |message| message["method"] == "step.lease" }
    tell(id: ask["id"], result: { current: true, remaining_ms: 1000 })
    assert_equal "success", answer(id)["outcome"]
  end

  def test_fast_handlers_that_end_their_thread_end_no_other_step
    start_moody
    assert_equal "ThreadError", step("Moody", config: { leave: true })["failure"]["class"]
    warm_up
  end

  def test_callbacks_that_are_not_offered_are_not_sent
    write("handlers/asks.rb", "class Asks < Tasker::StepHandler::Base\n  def process(_t, _s, step)\n    publish_event('a.b', n: 1)\n" \
                              "    step.lease\n  end\nend")
    start
    failure = step("Asks")["failure"]
    assert_equal ["Tasker::NotOffered", "this worker does not offer step.lease"], failure.values_at("class", "message")
    assert_equal ["event a.b"], notifications("log").map { |record| record["message"] }
  end

  def test_large_params_and_results_go_by_file
    write("handlers/echo.rb", "class Echo; def process(task, *) = task.context['v']; end")
    start(limits: { max_inline_bytes: 1000 })
    params = JSON.generate(step: { id: "1", name: "s" }, task: { id: "1", context: { v: "x" * 5000 } }, handler: { name: "Echo" })
    write("scratch/in.json", params)
    file = { path: "in.json", bytes: params.bytesize, sha256: Digest::SHA256.hexdigest(params) }
    send_file = lambda do |change|
      request("step.execute", execution_id: "e1", scratch_dir: File.join(@dir, "scratch"), params_file: file.merge(change))
    end
    got = send_file.call({})["result_file"]
    text = File.read(File.join(@dir, "scratch", got["path"]))
    assert_equal [JSON.generate("x" * 5000), text.bytesize, Digest::SHA256.hexdigest(text)], [text, got["bytes"], got["sha256"]]
    File.symlink("in.json", File.join(@dir, "scratch/link"))
    [{ path: "../scratch/in.json" }, { path: ".." }, { path: "gone" }, { path: "link" }, { sha256: "0" * 64 }, { bytes: 1 }].each do |change|
      assert_equal(-32_602, send_file.call(change)["code"], change)
    end
    assert_equal "Tasker::ResultTooLarge", step("Echo", task: { id: "1", context: { v: "x" * 5000 } })["failure"]["class"]
  end

  def test_surroundings_are_put_back
    write("handlers/dirty.rb", <<~RUBY)
      class Dirty
        def process(*)
          Dir.chdir("/")
          File.umask(0o777)
          ENV["LEFT"] = "x"
          ENV.delete("HOME")
          trap("TERM") { }
          $stdout = StringIO.new
        end
      end
      class Look
        def process(*) = [Dir.pwd, File.umask, ENV["LEFT"], ENV.key?("HOME"), $stdout.equal?(STDOUT), trap("TERM", "DEFAULT").class.name]
      end
      class Limits
        def process(*) = Process.setrlimit(:CORE, 0)
      end
    RUBY
    start
    before = step("Look")["result"]
    step("Dirty", id: "e2")
    assert_equal before, step("Look", id: "e3")["result"]
    step("Limits", id: "e4")
    request("ping")
    assert_equal ["recycle_me"], notifications("executor.status").map { |status| status["state"] }
  end

  SETTINGS = <<~RUBY
    class Sets
      def process(*)
        $VERBOSE = nil
        Encoding.default_external = "ISO-8859-1"
        Encoding.default_internal = "ISO-8859-1"
        Thread.abort_on_exception = true
        Thread.report_on_exception = true
        Warning[:deprecated] = !Warning[:deprecated]
        GC.disable
        STDOUT.reopen(File::NULL)
        STDERR.close
        Time.zone = "Tokyo" if Time.respond_to?(:zone=)
        I18n.locale = :de if defined?(I18n)
      end
    end
    class Reads
      def process(*)
        disabled = GC.disable
        GC.enable unless disabled
        system("echo printed by a child")
        [$VERBOSE, Encoding.default_external.to_s, Encoding.default_internal.to_s, Thread.abort_on_exception, Thread.report_on_exception,
         Warning[:deprecated], disabled, STDERR.closed?, (Time.zone.name if Time.respond_to?(:zone)), (I18n.locale.to_s if defined?(I18n))]
      end
    end
  RUBY

  def test_settings_of_the_process_are_put_back
    ["", "class More < Tasker::StepHandler::Base; end"].each do |more| # without and with ActiveSupport
      write("handlers/sets.rb", "#{SETTINGS}#{more}\nI18n.available_locales = %i[en de] if defined?(I18n)")
      start(limits: { max_concurrency: 1 })
      before = step("Reads")["result"]
      set = step("Sets", id: "e2")
      assert_equal "success", set["outcome"], set
      assert_equal before, step("Reads", id: "e3")["result"]
      assert_equal 2, File.read(@errors.path).scan("printed by a child").size
      @to.close
      Process.wait(@pid)
      @pid = @to = nil
    end
  end

  def test_what_a_thread_prints_that_outlived_its_step_is_no_other_steps
    write("handlers/leaves.rb", <<~RUBY)
      class Leaves
        GATE = Queue.new
        DONE = Queue.new
        def process(*)
          Thread.new { GATE.pop; puts "left over"; DONE << 1 }
          nil
        end
      end
      class Meets
        def process(*)
          Leaves::GATE << 1
          Leaves::DONE.pop
          puts "own"
        end
      end
    RUBY
    start
    step("Leaves")
    step("Meets", id: "e2")
    assert_equal [["left over", nil], %w[own e2]], notifications("log").map { |record| record.values_at("message", "execution_id") }
    refute_includes File.read(@errors.path), "left over"
  end

  def test_what_a_step_prints_is_its_log
    write("handlers/prints.rb", <<~RUBY)
      require "logger"
      LOGGER = Logger.new(STDOUT, formatter: ->(_, _, _, message) { "\#{message}\\n" })
      class Prints
        def process(*)
          print "a"
          puts "b", "c"
          warn "w"
          LOGGER.info("logged")
          Thread.new { $stdout.write("from a thread\\n") }.join
          $stderr.print "no newline"
        end
      end
    RUBY
    start
    step("Prints")
    got = notifications("log").map { |record| record.values_at("logger", "level", "message", "execution_id") }
    want = [%w[stdout info ab e1], %w[stdout info c e1], %w[stderr warn w e1], %w[stdout info logged e1],
            ["stdout", "info", "from a thread", "e1"], ["stderr", "warn", "no newline", "e1"]]
    assert_equal want, got
  end

  def test_metadata_and_dump
    write("handlers/hangs.rb", "class Hangs\n  def process(_t, _s, step) = hanging(step)\n  def hanging(step)\n    puts 'x'\n" \
                               "    step.sleep(60)\n  end\nend\nclass Quick; def process(*) = nil; end\n" \
                               "class Busy; def process(*) = 200_000.times { |i| i * i }; end")
    start
    assert_kind_of Float, step("Busy")["metadata"]["cpu_ms"]
    refute step("Quick", id: "e3").key?("metadata")
    id = begin_step("Hangs", id: "e2")
    await { |message| message["method"] == "log" }
    Process.kill("USR1", @pid)
    Timeout.timeout(PATIENCE) { Thread.pass until File.read(@errors.path).include?("hanging") }
    assert_includes File.read(@errors.path), "of execution e2"
    tell(method: "step.cancel", params: { execution_id: "e2", reason: "shutdown" })
    answer(id)
  end

  APP = <<~RUBY
    puts "booting"
    module ActiveRecord; class Base; def self.connection_pool = Struct.new(:size).new(3); end; end
    module Rails
      class App
        WRAPPED = []
        def executor = self
        def wrap
          WRAPPED << :in
          yield
        ensure
          WRAPPED << :out
        end
        def eager_load! = raise("an app with the engine cannot be loaded whole")
      end
      def self.application = (@application ||= App.new)
      def self.version = "8.0.1"
    end
  RUBY

  def test_an_app_is_booted_around_the_handlers
    write("app/config/environment.rb", APP)
    write("app/app/tasks/own.rb", "class OwnHandler < Tasker::StepHandler::Base; def process(*) = Rails::App::WRAPPED.dup; end")
    write("handlers/more.rb", "class More; def process(*) = [Rails.version, Dir.pwd, ENV['PGAPPNAME']]; end")
    File.symlink(File.join(@dir, "app"), File.join(@dir, "current"))
    [{ app_root: File.join(@dir, "app") }, { env: { "TASKER_APP_ROOT" => File.join(@dir, "current") } }].each do |given|
      ready = start(**given)
      assert_equal ["rails 8.0.1", 2], [ready["executor"]["framework"], ready["capabilities"]["max_concurrency"]]
      assert_equal [["More", "more.rb"], ["OwnHandler", "app/tasks/own.rb"]], ready["handlers"].map { |h| h.values_at("name", "file") }
      assert_equal ["8.0.1", File.join(@dir, "app"), "ruby-1"], step("More")["result"]
      assert_equal %w[in out in], step("OwnHandler")["result"]
      @to.close
      Process.wait(@pid)
      @pid = @to = nil
    end
  end

  def test_an_app_that_cannot_boot_ends_the_host
    write("app/config/environment.rb", "raise 'no database'")
    assert_raises(RuntimeError) { start(app_root: File.join(@dir, "app")) }
    _pid, status = Process.wait2(@pid)
    @pid = nil
    assert_equal 78, status.exitstatus
    assert_match(/cannot be booted: RuntimeError: no database\Z/, File.read(@errors.path).chomp)
  end

  def test_active_support_is_there_for_the_engines_handlers_where_it_is_installed
    skip "ActiveSupport is not installed here" unless system("ruby", "-e", 'require "active_support"', err: File::NULL)
    write("handlers/a_constant.rb", "PAUSE = 5.minutes")
    write("handlers/rails_like.rb", <<~RUBY)
      class RailsLike < Tasker::StepHandler::Base
        def process(task, _sequence, _step)
          input = task.context.with_indifferent_access
          { model: Class.new { include ActiveModel::Model; def self.name = "Named" }.model_name.human, symbol: input[:order][:id], deep: task.context.deep_symbolize_keys.dig(:order, :id), blank: " ".blank?, zone: Time.zone.name,
            at: Time.utc(2026).in_time_zone, pause: PAUSE, point: Struct.new(:x).new(1), 1.5 => nil, Date.new(2026, 1, 2) => [1, 2].in_groups_of(1) }
        end
      end
    RUBY
    start
    got = step("RailsLike", task: { id: "1", context: { order: { id: 4 } } })
    assert_equal({ "model" => "Named", "symbol" => 4, "deep" => 4, "blank" => true, "zone" => "UTC", "at" => "2026-01-01T00:00:00Z", "pause" => 300,
                   "point" => { "x" => 1 }, "1.5" => nil, "2026-01-02" => [[1], [2]] }, got["result"], got)
  end

  def test_handlers_without_a_superclass_start_without_active_support
    write("lib/active_support.rb", "warn 'loaded'")
    write("handlers/bare.rb", "class Bare; def process(*) = 1; end")
    start(env: { "RUBYLIB" => File.join(@dir, "lib") })
    assert_empty File.read(@errors.path)
  end

  def test_nothing_imitates_active_support_where_it_is_not_installed
    write("lib/active_support.rb", "raise LoadError, 'not installed'")
    write("handlers/bare.rb", "class Bare < Tasker::StepHandler::Base; def process(*) = [''.respond_to?(:blank?), 1.respond_to?(:day), {}.respond_to?(:deep_merge)]; end")
    start(env: { "RUBYLIB" => File.join(@dir, "lib") })
    assert_equal [false, false, false], step("Bare")["result"]
  end

  def test_an_active_support_that_does_not_load_is_said_and_the_handlers_serve
    write("lib/active_support.rb", "raise NameError, 'too old'")
    write("handlers/bare.rb", "class Bare < Tasker::StepHandler::Base; def process(*) = 1; end")
    start(env: { "RUBYLIB" => File.join(@dir, "lib") })
    assert_equal 1, step("Bare")["result"]
    assert_includes File.read(@errors.path), "ActiveSupport cannot be loaded: NameError: too old"
  end

  def test_handlers_find_a_logger_and_the_environment_of_rails_where_no_app_is_booted
    write("handlers/logs.rb", "class Logs; def process(*) = Rails.logger.info('in ' + Rails.env) && defined?(Rails) || Rails.env.test?; end")
    start(env: { "RAILS_ENV" => "test" })
    assert_equal true, step("Logs")["result"]
    assert_equal ["in test"], notifications("log").map { |record| record["message"] }
  end

  def test_what_an_app_has_under_the_names_of_the_sdk_is_the_apps
    write("app/lib/tasker/constants.rb", "FROM = :app")
    write("app/config/environment.rb", "require 'tasker/constants'")
    write("handlers/bare.rb", "require 'tasker'\nclass Bare; def process(*) = FROM; end")
    start(app_root: File.join(@dir, "app"), env: { "RUBYLIB" => File.join(@dir, "app/lib") })
    got = step("Bare")
    assert_equal "app", got["result"], got
  end
end
