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

require_relative "line_reader"
require_relative "app"

# The gems of an app decide which versions are loaded, of JSON too, so its folder is looked for before any is.
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
