# frozen_string_literal: true

module TaskerHost
  # Measures how long a file has been loading, without the time in which it waited for a processor: on a busy machine a
  # file loads slowly and still finishes. On systems that do not report that time, all time counts.
  class LoadClock
    # The least time for a file, in seconds, however much time the files before it have used.
    LEAST = 1.0

    # seconds is what the file may take.
    def initialize(seconds)
      @began = now
      @waited = waited
      @seconds = seconds
      @least = [seconds / 2, LEAST].max
    end

    # Returns when the time of the file is over and the file has used at least half of it.
    def wait
      sleep @seconds
      while (missing = @least - used).positive?
        sleep missing
      end
    end

    private

    def used
      now - @began - (waited - @waited)
    end

    # How long threads of this process have waited for a processor.
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
