module Bench
  def self.fibonacci(n)
    n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2)
  end

  class Noop < Tasker::StepHandler::Base
    def process(task, sequence, step)
      { ok: true, step: step.name, note: "about a hundred bytes, as the results of small steps usually are" }
    end
  end

  class Fibo < Tasker::StepHandler::Base
    def process(task, sequence, step)
      { ok: true, fibo: Bench.fibonacci(10) }
    end
  end

  class Echo < Tasker::StepHandler::Base
    def process(task, sequence, step)
      task.context
    end
  end

  class Pause < Tasker::StepHandler::Base
    def process(task, sequence, step)
      sleep 0.01
      { ok: true }
    end
  end
end
