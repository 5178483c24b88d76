# The lower bound of a call: reads a line, parses it, and writes the payload back.
require "json"

def now
  Process.clock_gettime(Process::CLOCK_MONOTONIC)
end

def pause(times)
  Array.new(times) do
    began = now
    sleep 0.01
    (now - began) * 1000
  end
end

$stdout.sync = true
$stdin.each_line do |line|
  call = JSON.parse(line)
  result = call["method"] == "echo" ? call["params"] : pause(call["params"])
  $stdout.write("#{JSON.generate(jsonrpc: "2.0", id: call["id"], result: result)}\n")
end
