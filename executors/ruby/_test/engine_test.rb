# frozen_string_literal: true

require_relative "host_process"

# Handlers where an app has brought the Rails engine: the classes of the engine's names are the engine's.
class EngineTest < Minitest::Test
  include HostProcess

  ENGINE = File.expand_path("engine/lib", __dir__)

  HANDLERS = <<~RUBY
    class Stored < Tasker::StepHandler::Base; def process(*) = config["k"]; end
    class Handles < Stored; def handle(_task, _sequence, step) = step.results = "own"; end
    class Abstract < Tasker::StepHandler::Base; end
    class Asked < Tasker::StepHandler::Api; def process(*) = [config.url, config["k"], config.dig("deep", "l")]; end
    class Refused < Tasker::StepHandler::Api
      Answer = Struct.new(:status, :body, :headers)
      def process(*) = Answer.new(404, "nothing there", {})
    end
    class Publishes < Stored
      def process(*)
        publish_event("order.charged", n: 1)
        [PUBLISHED, log_structured(:info, "x")]
      end
    end
    class Alone < Stored
      exclusive!
    end
    class Fails < Stored
      def process(*) = raise(Tasker::RetryableError.new("busy", retry_after: 7, context: { a: 1 }))
    end
    class Defers < Stored
      def process(*) = raise(Tasker::Deferred.new(2))
    end
    class Declared < Tasker::ConfiguredTask
      include Tasker::TaskHandler
      register_handler("declared")
    end
    class Sees < Stored
      def process(*) = [Declared.superclass.superclass.name, Tasker::Constants::TaskStatuses.constants.size, Tasker.current_step.name]
    end
  RUBY

  def start_with_engine
    write("app/config/environment.rb", "$VERBOSE = true\n$LOAD_PATH.unshift(#{ENGINE.inspect})\nrequire 'tasker'")
    write("app/app/tasks/own.rb", HANDLERS)
    start(app_root: File.join(@dir, "app"))
  end

  def test_an_app_with_the_engine_boots_without_a_word
    ready = start_with_engine
    assert_empty ready["load_errors"]
    assert_empty File.read(@errors.path)
    assert_equal %w[Alone Asked Defers Fails Handles Publishes Refused Sees Stored], ready["handlers"].map { |handler| handler["name"] }
    assert_equal [true], ready["handlers"].map { |handler| handler["exclusive"] }.compact
  end

  def test_handlers_run_with_the_classes_of_the_engine
    start_with_engine
    assert_equal 1, step("Stored", config: { k: 1 })["result"]
    assert_equal "own", step("Handles")["result"]
    assert_equal ["http://x", 2, 3], step("Asked", config: { type: "api", url: "http://x", k: 2, deep: { l: 3 } })["result"]
    assert_equal [[["order.charged", { "n" => 1 }]], "the engine logs x"], step("Publishes")["result"]
    assert_equal ["Tasker::TaskBuilder", 2, "s"], step("Sees")["result"]
  end

  def test_failures_of_the_engines_classes_say_what_they_mean
    start_with_engine
    assert_equal ["permanent", "HTTP_404"], step("Refused", config: { url: "http://x" })["failure"].values_at("kind", "code")
    assert_equal ["retryable", 7000, { "a" => 1 }], step("Fails")["failure"].values_at("kind", "retry_after_ms", "details")
    assert_equal "deferred", step("Defers")["outcome"]
  end

  def test_an_app_without_the_engine_finds_the_classes_while_it_boots
    write("app/config/environment.rb", <<~RUBY)
      module Storefront; class Early < Tasker::StepHandler::Base; def process(*) = self.class.superclass.superclass.name; end; end
    RUBY
    start(app_root: File.join(@dir, "app"))
    assert_equal "Object", step("Storefront::Early")["result"]
  end

  def test_what_an_app_defines_in_the_module_is_kept
    write("app/config/environment.rb", <<~RUBY)
      module Tasker
        class ConfiguredTask < Struct.new(:own); end
        module Constants; OWN = 1; end
      end
      class Asks < Tasker::StepHandler::Api; def process(*) = [Tasker::ConfiguredTask.members, Tasker::Constants::OWN]; end
    RUBY
    start(app_root: File.join(@dir, "app"))
    assert_equal [["own"], 1], step("Asks")["result"]
  end

  def test_a_file_of_the_apps_handlers_that_cannot_be_loaded_is_reported_and_the_others_serve
    write("app/config/environment.rb", "")
    write("app/app/tasks/a_bad.rb", "class Bad < Tasker::Nowhere; end")
    write("app/app/tasks/b_good.rb", "class Good < Tasker::StepHandler::Base; def process(*) = 1; end")
    write("app/app/steps/more.rb", "class More < Tasker::StepHandler::Base; def process(*) = 2; end")
    ready = start(app_root: File.join(@dir, "app"), app_handlers: ["app/tasks", "app/steps"])
    assert_equal([["app/tasks/a_bad.rb", "NameError", "uninitialized constant Tasker::Nowhere"]],
                 ready["load_errors"].map { |error| [*error.values_at("file", "class"), error["message"].lines.first.strip] })
    assert_equal %w[Good More], ready["handlers"].map { |handler| handler["name"] }
  end
end
