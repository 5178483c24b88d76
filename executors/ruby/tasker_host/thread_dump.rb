# frozen_string_literal: true

require_relative "current"

module TaskerHost
  # Prints the stacks of all threads on SIGUSR1. The worker sends it before it kills a process that hangs.
  module ThreadDump
    def self.on_signal
      trap("USR1") { Thread.new { print } } # a trap handler may not take locks
    end

    def self.print
      threads = Thread.list - [Thread.current]
      $stderr.write("tasker host: #{threads.size} threads\n#{threads.map { |thread| describe(thread) }.join("\n")}\n")
    rescue SystemCallError, IOError
      nil
    end

    def self.describe(thread)
      execution = thread.group.execution if thread.group.is_a?(Current)
      of = execution ? " of execution #{execution.execution_id}" : ""
      ["thread #{thread.object_id}#{of} (#{thread.status || "ended"})", *thread.backtrace].join("\n\t")
    end
    private_class_method :describe
  end
end
