# frozen_string_literal: true

require "bigdecimal"
require "date"
require "set"

puts "printed while loading"
$stdout.write "no newline"
system "echo printed by a child while loading"

# Handlers that behave well and badly, one for each rule of the conformance tests.
module Fixtures
  class Echo
    def process(task, _sequence, _step)
      task.context["value"]
    end
  end

  class Arguments
    TASK = %w[task_id namespace name version context tags initiator source_system reason requested_at].freeze
    STEP = %w[workflow_step_id name attempts attempt retry_limit inputs results config idempotency_key].freeze

    def process(task, sequence, step)
      {
        task: TASK.to_h { |name| [name, task.public_send(name)] },
        step: STEP.to_h { |name| [name, step.public_send(name)] },
        steps: sequence.steps.map { |s| [s.workflow_step_id, s.name, s.results] },
        found: sequence.find_step_by_name("b").results,
        missing: sequence.find_step_by_name("nobody")
      }
    end
  end

  # Returns what is written to a named pipe; opening the pipe for writing succeeds once this handler runs.
  class Gate
    def process(_task, _sequence, step)
      File.read(step.config["path"])
    end
  end

  class Busy
    def process(_task, _sequence, step)
      File.write(step.config["path"], "started")
      ends = Process.clock_gettime(Process::CLOCK_MONOTONIC) + (step.config["ms"] / 1000.0)
      nil while Process.clock_gettime(Process::CLOCK_MONOTONIC) < ends
    end
  end

  class FailRetryable
    def process(_task, _sequence, step)
      raise Tasker::RetryableError.new("try later", retry_after: step.config["seconds"], context: { "why" => "busy" })
    end
  end

  class FailPermanent
    def process(_task, _sequence, _step)
      raise Tasker::PermanentError.new("never", error_code: "NO_FUNDS", context: { "card" => 1 })
    end
  end

  class FailUnknown
    def process(_task, _sequence, _step)
      raise ArgumentError, "unexpected"
    end
  end

  class DeepCause
    def process(_task, _sequence, _step)
      nest(200)
    end

    def nest(depth)
      depth.zero? ? raise("bottom #{"x" * 10_000}") : nest(depth - 1)
    rescue StandardError => e
      raise e if depth > 20

      raise "cause #{depth}"
    end
  end

  class Hostile
    class Rude < StandardError
      def message
        raise "no message for you"
      end
    end

    def process(_task, _sequence, _step)
      raise Rude
    end
  end

  class SoftExit
    def process(_task, _sequence, _step)
      exit 3
    end
  end

  class HardExit
    def process(_task, _sequence, _step)
      exit! 3
    end
  end

  class KillSelf
    def process(_task, _sequence, _step)
      Process.kill(:KILL, Process.pid)
      sleep
    end
  end

  class EndThread
    def process(_task, _sequence, _step)
      Thread.exit
    end
  end

  class Noise
    def process(_task, _sequence, _step)
      print "printed"
      $stderr.print "warned"
      IO.for_fd(1, autoclose: false).syswrite(%({"jsonrpc":"2.0","id":"forged","result":{}}\n))
      system("echo printed by a child; echo warned by a child >&2")
      "quiet"
    end
  end

  class Flood
    def process(_task, _sequence, _step)
      errors = IO.for_fd(2, autoclose: false)
      errors.sync = true
      (10 * 1024).times { errors.write("#{"x" * 1023}\n") }
      "done"
    end
  end

  class ChildFds
    def process(_task, _sequence, _step)
      `for fd in 3 4 5 6 7 8 9; do [ -e /proc/self/fd/$fd ] && readlink /proc/self/fd/$fd; done; env | grep ^TASKER_`
    end
  end

  class CloseStdio
    def process(_task, _sequence, _step)
      [0, 1, 2].each { |fd| IO.for_fd(fd).close }
      "closed"
    end
  end

  class Pollute
    def process(_task, _sequence, _step)
      Dir.chdir("/")
      File.umask(0o777)
      ENV["POLLUTED"] = "1"
      trap("WINCH") { nil }
      nil
    end
  end

  class Surroundings
    SIGWINCH = 1 << 27

    def process(_task, _sequence, _step)
      caught = File.exist?("/proc/self/status") && File.read("/proc/self/status")[/^SigCgt:\s*(\h+)/, 1].hex.anybits?(SIGWINCH)
      { folder: Dir.pwd, umask: File.umask, polluted: ENV["POLLUTED"], caught: caught }
    end
  end

  class LogMessage
    def process(_task, _sequence, step)
      Tasker.logger.info("x" * step.config["bytes"], amount: 12)
      "logged"
    end
  end

  class Returns
    CYCLE = [].tap { |list| list << list }

    def process(_task, _sequence, step)
      case step.config["what"]
      when "nothing" then nil
      when "nan" then { items: [1, { price: Float::NAN }] }
      when "infinity" then [-Float::INFINITY]
      when "cycle" then CYCLE
      when "deep" then 100_000.times.inject([]) { |inner, _| [inner] }
      when "nested" then step.config["levels"].times.inject(1) { |inner, _| [inner] }
      when "bytes" then { "blob" => "\xFF\xFE".b }
      when "bad text" then { "text" => "caf\xE9" }
      when "object" then { "thing" => [Object.new] }
      when "nul" then { "text" => "a\u0000b" }
      when "escaped nul" then { "text" => 'a\u0000b' }
      when "large" then "x" * step.config["bytes"]
      when "dates" then dates
      end
    end

    def dates
      { at: Time.at(0, 250_000).utc, day: Date.new(2026, 1, 2), price: BigDecimal("12.30"), tags: Set["a"], sym: :b }
    end
  end
end
