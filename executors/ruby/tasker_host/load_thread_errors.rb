# frozen_string_literal: true

require_relative "exit_report"

module TaskerHost
  # Errors of threads that a file started while it was loaded. They belong to the file, and to no step.
  class LoadThreadErrors
    # Runs the block, which loads the files.
    def watch
      before = Thread.list
      @loading = true
      yield
    ensure
      @started = Thread.list - before
      @loading = false
    end

    def loading?
      @loading
    end

    # The path of the file that started the thread which the error has ended; nil for another thread.
    def origin(error)
      thread = ExitReport.ended_by(error)
      ExitReport.started_at(thread)[/\A(.+):\d+\z/, 1] if thread && (@loading || @started.include?(thread))
    end
  end
end
