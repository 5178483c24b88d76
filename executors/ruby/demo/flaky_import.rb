# frozen_string_literal: true

require "timeout"

module Demo
  # An import whose surroundings fail now and then. Which attempts fail is told by each step's handler_config.
  module FlakyImport
    class DownloadFile < Tasker::StepHandler::Base
      def process(task, _sequence, _step)
        { file: task.context["file"], rows: task.context.fetch("rows", 500) }
      end
    end

    # Fails the first handler_config.failures attempts, and asks to be tried again after a second.
    class ImportRows < Tasker::StepHandler::Base
      def process(_task, sequence, step)
        rows = sequence.find_step_by_name("download_file").results["rows"]
        failures = config["failures"]
        lose_connection(step, failures, rows) if step.attempt <= failures

        { imported: rows, attempts_needed: step.attempt }
      end

      private

      def lose_connection(step, failures, rows)
        raise Tasker::RetryableError.new(
          "connection lost at row #{rows * step.attempt / (failures + 1)} of #{rows}: " \
          "failure #{step.attempt} of #{failures}, attempt #{failures + 1} will succeed",
          retry_after: 1
        )
      end
    end

    # Times out on the first handler_config.timeouts attempts. Any exception but a PermanentError is retried.
    class UpdateIndex < Tasker::StepHandler::Base
      def process(_task, sequence, step)
        timeouts = config["timeouts"]
        if step.attempt <= timeouts
          raise Timeout::Error, "the index did not answer: timeout #{step.attempt} of #{timeouts}, " \
                                "attempt #{timeouts + 1} will succeed"
        end

        { indexed: sequence.find_step_by_name("import_rows").results["imported"] }
      end
    end

    # Does no harm when it runs twice: it replaces the summary that an earlier attempt may have written.
    class WriteSummary < Tasker::StepHandler::Base
      def process(_task, sequence, _step)
        attempts = sequence.steps.to_h { |earlier| [earlier.name, earlier.results] }
        { summary: "#{attempts['import_rows']['imported']} rows of #{attempts['download_file']['file']} imported",
          attempts_of_import: attempts["import_rows"]["attempts_needed"] }
      end
    end
  end
end
