# frozen_string_literal: true

# Fixtures of what a handler does through its current step.
if Tasker.respond_to?(:current_step)
  module Fixtures
    class WaitForCancel
      def process(_task, _sequence, step)
        File.write(step.config["path"], "started") if step.config && step.config["path"]
        loop do
          step.check!
          sleep 0.01
        end
      end
    end

    class Callback
      CALLS = {
        "step.lease" => ->(step) { step.lease && nil },
        "step.save_checkpoint" => ->(step) { step.save_checkpoint({ "page" => 3 }) && nil },
        "step.publish_event" => ->(step) { step.publish_event("paid", { "amount" => 1 }) && nil },
        "step.spawn" => ->(step) { step.spawn([{ "name" => "more", "handler" => "Fixtures::Echo" }]) && nil },
        "tasks.create" => ->(step) { step.create_task("n", "t", "1.0.0", {}) && nil },
        "secrets.get" => ->(step) { step.secret("key") }
      }.freeze

      def process(_task, _sequence, step)
        CALLS.fetch(step.config["method"]).call(step)
      end
    end

    class LeaseThenEffect
      def process(_task, _sequence, step)
        [-> { step.lease }, -> { step.publish_event("paid", {}) }].map do |call|
          call.call
          "none"
        rescue Tasker::LeaseLost
          "LeaseLost"
        end
      end
    end

    class Heartbeat
      def process(_task, _sequence, step)
        step.heartbeat(0.5, "half")
        nil
      end
    end

    class Defer
      def process(_task, _sequence, step)
        raise Tasker::Deferred.new(step.config["seconds"], { "page" => 3 })
      end
    end

    class CurrentStep
      def process(_task, _sequence, step)
        File.read(step.config["path"])
        Tasker.current_step.config["name"]
      end
    end

    class LogInjection
      def process(_task, _sequence, _step)
        Tasker.logger.info("first\n{\"forged\":true}")
        nil
      end
    end

    class LeaveChild
      def process(_task, _sequence, step)
        pid = spawn("sleep", "300", pgroup: step.config["kind"] == "daemon" ? true : nil)
        Process.detach(pid)
        pid
      end
    end

    # What exclusive! of the superclass does. With that superclass each of the many hosts here would load ActiveSupport.
    class Exclusive
      def self.exclusive?
        true
      end

      def process(_task, _sequence, step)
        File.read(step.config["path"])
      end
    end
  end
end
