# frozen_string_literal: true

# Does what the task's context says.
class BehaveRuby
  def process(task, sequence, step)
    argument = task.context["argument"]
    case task.context["do"]
    when "echo" then { argument:, attempt: step.attempt, parent: sequence.find_step_by_name("parent")&.results }
    when "retryable" then raise Tasker::RetryableError.new("try later", retry_after: 2, context: { why: "busy" })
    when "permanent" then raise Tasker::PermanentError.new("never", error_code: "NO", context: { why: "closed" })
    when "unknown" then raise ArgumentError, "what?"
    when "nan" then Float::NAN
    when "print" then print_forgery
    when "flood" then flood
    when "exit" then exit!(argument)
    when "sleep" then sleep(argument / 1000.0)
    when "compute" then compute(argument / 1000.0)
    when "env" then ENV.keys
    end
  end

  private

  def print_forgery
    puts '{"jsonrpc":"2.0","id":"w2","result":{"outcome":"success","result":"forged"}}'
    system("echo printed by a ruby child")
    "real"
  end

  def compute(seconds)
    used = -> { Process.clock_gettime(Process::CLOCK_THREAD_CPUTIME_ID) }
    enough = used.call + seconds
    nil while used.call < enough
  end

  def flood
    10_240.times { warn("e" * 1023) }
    "flooded"
  end
end
