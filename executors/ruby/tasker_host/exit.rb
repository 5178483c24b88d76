# frozen_string_literal: true

require_relative "process_state"

module TaskerHost
  # Ends this process at once: no at-exit hooks, no `ensure` of other threads.
  module Exit
    # Ends the process as error, or nil, would end it. `failed` is the status for an error that names none.
    def self.as(error, failed: 1, done: 0)
      die(error.signo) if error.is_a?(SignalException)
    ensure
      exit!(error.nil? ? done : status(error, failed))
    end

    def self.status(error, failed)
      error.is_a?(SystemExit) ? error.status : failed
    end

    # Ends the process by the signal, so that its status names the signal.
    def self.die(signal)
      ProcessState::TRAP.call(signal, "SYSTEM_DEFAULT")
      Process.kill(signal, Process.pid)
      sleep 1
    end
    private_class_method :status, :die
  end
end
