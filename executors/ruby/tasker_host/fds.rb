# frozen_string_literal: true

module TaskerHost
  # The file descriptors of the protocol. Handlers may print, close stdout or start children; none of that may reach the
  # pipes to the worker, so they are private, and closed in every child.
  module Fds
    # The number from which private descriptors are looked for: code that closes "all" descriptors often means the first few.
    PRIVATE = 10
    F_DUPFD = 0 # as everywhere; the library that names it is a gem, whose version is the app's to choose
    OCCUPIED = [] # what the garbage collector would close

    # Takes the pipes that the environment names (0 and 1 when it names none) and returns [input, output].
    # The variables are removed, so that a handler's child does not take itself for a host.
    def self.claim(env)
      input = private_io(env.delete("TASKER_RPC_IN_FD") || 0, "rb")
      output = private_io(env.delete("TASKER_RPC_OUT_FD") || 1, "wb")
      env.delete("TASKER_PROTOCOL")
      output.sync = true
      [input, output]
    end

    # The descriptors are moved away. In their place is nothing that matters, and what handlers print goes where their errors go.
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
