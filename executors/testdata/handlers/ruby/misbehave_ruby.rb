# frozen_string_literal: true

require "json"
require "socket"

# Does to its process what handlers should not do: the task's context says what.
class MisbehaveRuby
  HELD = []

  def process(task, _sequence, _step)
    send(task.context["do"], task.context["argument"])
  end

  private

  def pid(_) = Process.pid

  def wait(_)
    puts "waiting in ruby"
    sleep
  end

  def exit_with(status)
    warn "last words of ruby"
    exit!(status)
  end

  def crash(_)
    warn "last words of ruby"
    Process.kill(:SEGV, Process.pid)
    sleep
  end

  def spin(_)
    puts "spinning in ruby"
    loop {}
  end

  # Fiddle keeps the lock of the interpreter if it is told that the function needs it, as an extension in C does.
  def hold_lock(_)
    require "fiddle"
    usleep = Fiddle::Function.new(Fiddle::Handle::DEFAULT["sleep"], [Fiddle::TYPE_INT], Fiddle::TYPE_INT, need_gvl: true)
    puts "holding in ruby"
    usleep.call(600)
  end

  def surroundings(_)
    signals = File.read("/proc/thread-self/status").scan(/^Sig(?:Blk|Ign|Cgt):.*/)
    { cwd: Dir.pwd, environment: ENV.to_h, group: Process.getpgrp, session: Process.getsid, signals:, umask: File.umask }
  end

  def chdir(folder) = Dir.chdir(folder)

  def set_umask(mask) = File.umask(mask)

  def set_environment(_)
    ENV["POLLUTED"] = "yes"
    ENV.delete("HOME")
  end

  def set_signals(_)
    trap("TERM", "IGNORE")
    trap("USR1") {}
    trap("USR2", "IGNORE")
  end

  def close_descriptors(numbers)
    numbers.each { |fd| IO.for_fd(fd).close }
    nil
  end

  def leave_session(_) = Process.setsid

  def run_python(arguments) = JSON.parse(IO.popen(["python3", *arguments], &:read))

  def leak_memory(megabytes)
    HELD << ("x" * (megabytes << 20))
    Process.pid
  end

  # Returns how many threads could be started: Ruby tries for ever to start a child.
  def multiply(number)
    started = 0
    number.times do
      HELD << Thread.new { sleep }
      started += 1
    end
    started
  rescue ThreadError
    started
  end

  def leak_connection(address)
    host, port = address.split(":")
    HELD << TCPSocket.new(host, port)
    ENV.fetch("TASKER_SCRATCH_DIR")
  end
end
