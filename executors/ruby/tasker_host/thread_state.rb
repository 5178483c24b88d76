# frozen_string_literal: true

module TaskerHost
  # Resets the state that libraries keep for a thread and a step may change: the locale of I18n and the time zone of
  # ActiveSupport. Other state of a thread, for example connections, stays.
  module ThreadState
    def self.reset
      return unless defined?(::I18n)

      thread = Thread.current
      thread[:i18n_config] = nil if thread.key?(:i18n_config)
      thread.thread_variable_set(:i18n_config, nil) if thread.thread_variable?(:i18n_config) # since I18n 1.13
      thread[:time_zone] = nil if thread.key?(:time_zone)
      return unless defined?(::ActiveSupport::IsolatedExecutionState) # since Rails 7

      ::ActiveSupport::IsolatedExecutionState.delete(:time_zone)
    end
  end
end
