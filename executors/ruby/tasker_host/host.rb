# frozen_string_literal: true

# The Ruby host: a long-lived process that runs the step handlers of one folder for tasker-worker. It takes its two
# pipes first, loads the handlers of the folder that the worker names, and then runs steps until the worker closes the
# pipe.

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

require_relative "line_reader"
require_relative "app"

# The app decides which versions of gems are loaded, also of JSON. Its folder is found before the first gem is loaded.
reader = TaskerHost::LineReader.new(rpc_in, 4 << 20)
app_root = TaskerHost::App.root(ENV, reader.first_line)
begin
  TaskerHost::App.use_gems(app_root)
rescue StandardError, LoadError => e
  TaskerHost::App.abort(app_root, e)
end

require_relative "sdk"
require_relative "server"
app_root ? TaskerHost::SDK.define_lazily : TaskerHost::SDK.load

TaskerHost::Server.new(reader, rpc_out).run
