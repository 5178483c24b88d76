# frozen_string_literal: true

module TaskerHost
  # How long a file has been loading, without the time in which others had the processor: a file that is kept waiting by a busy
  # machine is not one that does not finish. Systems that do not tell that time count all of it.
  class LoadClock
    # What a file has, in seconds, however little time the files before it have left.
    LEAST = 1.0

    # seconds is what the file may take.
    def initialize(seconds)
      @began = now
      @waited = waited
      @seconds = seconds
      @least = [seconds / 2, LEAST].max
    end

    # Returns when the file may be given up: its time is over, and it has had at least half of it.
    def wait
      sleep @seconds
      while (short = @least - had).positive?
        sleep short
      end
    end

    private

    def had
      now - @began - (waited - @waited)
    end

    # How long threads of this process were ready to run, and did not.
    def waited
      Dir["/proc/self/task/*/schedstat"].sum do |file|
        File.read(file).split[1].to_f / 1e9
      rescue SystemCallError
        0.0 # the thread has ended
      end
    end

    def now
      Process.clock_gettime(Process::CLOCK_MONOTONIC)
    end
  end
end
