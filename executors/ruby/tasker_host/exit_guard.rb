# frozen_string_literal: true

module TaskerHost
  # Makes `exit!` in a file that is being loaded an error of the file. (`exit` and `abort` raise SystemExit already.)
  module ExitGuard
    class << self
      def during
        install unless @installed
        before, Thread.current[:tasker_loading] = Thread.current[:tasker_loading], true
        yield
      ensure
        Thread.current[:tasker_loading] = before
      end

      private

      def install
        @installed = true
        [Kernel, Kernel.singleton_class, Process.singleton_class].each { |owner| owner.prepend(Hook) }
      end
    end

    module Hook
      def exit!(status = false)
        raise SystemExit.new(1, "exit! in a file that is loaded") if Thread.current[:tasker_loading] && !Fork.child?

        super
      end
    end
  end
end
