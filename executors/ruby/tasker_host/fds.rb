# frozen_string_literal: true

module TaskerHost
  # The file descriptors of the protocol. Handlers may print, close stdout or start children; none of that may reach the
  # pipes to the worker, so they are private, and closed in every child.
  module Fds
    # Takes the pipes that the environment names (0 and 1 when it names none) and returns [input, output].
    # The variables are removed, so that a handler's child does not take itself for a host.
    def self.claim(env)
      input = private_io(env.delete("TASKER_RPC_IN_FD") || 0, "rb")
      output = private_io(env.delete("TASKER_RPC_OUT_FD") || 1, "wb")
      env.delete("TASKER_PROTOCOL")
      output.sync = true
      [input, output]
    end

    # Standard descriptors are moved away, and what handlers print goes where their errors go.
    def self.private_io(number, mode)
      fd = Integer(number)
      io = IO.for_fd(fd, mode)
      if fd <= 2
        io.autoclose = false
        io = io.dup
        fd.zero? ? $stdin.reopen(File::NULL) : $stdout.reopen($stderr)
      end
      io.close_on_exec = true
      io
    end
    private_class_method :private_io
  end
end
