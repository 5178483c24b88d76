# frozen_string_literal: true

module TaskerHost
  # The file descriptors of the protocol. Handlers may print, close stdout or start children. None of that may reach the
  # pipes to the worker. Therefore the pipes have private numbers, and are closed in every child.
  module Fds
    # The lowest number of a private descriptor: code that closes "all" descriptors often closes only the first few.
    PRIVATE = 10
    F_DUPFD = 0 # on all systems; fcntl, which defines it, is a gem, and the app chooses its version
    OCCUPIED = [] # protects the IOs from the garbage collector

    # Takes the pipes that the environment names (by default 0 and 1) and returns [input, output].
    # Removes the variables: otherwise a child of a handler could act as a host.
    def self.claim(env)
      input = private_io(env.delete("TASKER_RPC_IN_FD") || 0, "rb")
      output = private_io(env.delete("TASKER_RPC_OUT_FD") || 1, "wb")
      env.delete("TASKER_PROTOCOL")
      output.sync = true
      [input, output]
    end

    # Moves a descriptor to a private number. The old number leads to /dev/null, or to stderr if it is stdout.
    def self.private_io(number, mode)
      fd = Integer(number)
      given = IO.for_fd(fd, mode, autoclose: false)
      io = IO.for_fd(given.fcntl(F_DUPFD, PRIVATE), mode)
      io.close_on_exec = true
      case fd
      when 0 then $stdin.reopen(File::NULL)
      when 1, 2 then $stdout.reopen($stderr)
      else OCCUPIED << given.reopen(File::NULL, mode)
      end
      io
    end
    private_class_method :private_io
  end
end
