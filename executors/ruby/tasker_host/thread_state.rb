# frozen_string_literal: true

module TaskerHost
  # What libraries keep for a thread and a step may set for itself: the locale of I18n, and the time zone of ActiveSupport. The next
  # step on the thread begins with the defaults. Other things that are kept in threads, connections for example, stay.
  module ThreadState
    def self.reset
      return unless defined?(::I18n)

      thread = Thread.current
      thread[:i18n_config] = nil if thread.key?(:i18n_config)
      thread.thread_variable_set(:i18n_config, nil) if thread.thread_variable?(:i18n_config) # since I18n 1.13
      thread[:time_zone] = nil if thread.key?(:time_zone)
      ::ActiveSupport::IsolatedExecutionState.delete(:time_zone) if defined?(::ActiveSupport::IsolatedExecutionState) # since Rails 7
    end
  end
end
