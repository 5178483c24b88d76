# frozen_string_literal: true

# The Ruby host: a long-lived process that runs the step handlers of one folder for tasker-worker. It claims its two
# pipes before anything else can touch them, loads the handlers when the worker says which folder, and then runs steps
# until the worker closes the pipe.

unless ENV["TASKER_PROTOCOL"] == "1"
  warn "tasker host: tasker-worker starts this program and talks to it over pipes; run `tasker-worker run` instead"
  exit 64
end

require_relative "fds"

begin
  rpc_in, rpc_out = TaskerHost::Fds.claim(ENV)
rescue SystemCallError, ArgumentError, IOError => e
  warn "tasker host: cannot use the pipes that TASKER_RPC_IN_FD and TASKER_RPC_OUT_FD name: #{e.message}"
  exit 78
end

trap("INT", "IGNORE")
Thread.report_on_exception = false
$stdout.sync = $stderr.sync = true

require_relative "server"

TaskerHost::Server.new(rpc_in, rpc_out).run
