# frozen_string_literal: true

module TaskerHost
  # Durations as handlers give them.
  module Duration
    LONGEST = 1_000_000_000
    FORMS = "a number of seconds, a duration, a Time or a Date"

    class << self
      # The seconds that wish says to wait. Raises ArgumentError for what is no duration. A Time or a Date, which begins in UTC, is
      # waited for; one that has passed means at once.
      def seconds(wish)
        number = moment(wish)&.then { |time| [time - Time.now, 0].max } || number(wish)
        raise ArgumentError, "#{shown(wish)} is no duration: give #{FORMS}" unless number && number >= 0 && number.to_f.finite?

        [number, LONGEST].min
      end

      # The same in whole milliseconds.
      def milliseconds(wish)
        (seconds(wish) * 1000).round
      end

      private

      # is_a? is true for a Time in a zone of ActiveSupport, too.
      def moment(wish)
        return wish.to_time if wish.is_a?(Time) || (defined?(::DateTime) && wish.is_a?(::DateTime))

        Time.utc(wish.year, wish.month, wish.day) if defined?(::Date) && wish.is_a?(::Date)
      end

      def number(wish)
        return wish.to_f if defined?(::ActiveSupport::Duration) && ::ActiveSupport::Duration === wish

        Float(wish, exception: false) if wish.is_a?(Numeric) || wish.is_a?(String)
      rescue RangeError # a Complex
        nil
      end

      def shown(wish)
        wish.inspect[0, 100]
      rescue StandardError
        "a #{wish.class}"
      end
    end
  end
end
