# frozen_string_literal: true

require "time"

module TaskerHost
  # Durations that handlers give.
  module Duration
    LONGEST = 1_000_000_000
    FORMS = "a number of seconds, a duration, a Time, a Date or the text of a Retry-After header"

    class << self
      # The seconds to wait. Raises ArgumentError if the value is no duration. For a Time, or a Date (which begins in
      # UTC), these are the seconds until then, at least 0.
      def seconds(value)
        number = moment(value)&.then { |time| [time - Time.now, 0].max } || number(value)
        unless number && number >= 0 && number.to_f.finite?
          raise ArgumentError, "#{shown(value)} is no duration: give #{FORMS}"
        end

        [number, LONGEST].min
      end

      # The same in whole milliseconds.
      def milliseconds(value)
        (seconds(value) * 1000).round
      end

      private

      # is_a? is also true for a Time in a zone of ActiveSupport.
      def moment(value)
        return http_date(value) if value.is_a?(String)
        return value.to_time if value.is_a?(Time) || (defined?(::DateTime) && value.is_a?(::DateTime))

        Time.utc(value.year, value.month, value.day) if defined?(::Date) && value.is_a?(::Date)
      end

      # A date of HTTP in one of its three forms: RFC 1123, RFC 850 and asctime.
      def http_date(text)
        Time.httpdate(text.strip)
      rescue ArgumentError # another text, which may be a number
        nil
      end

      def number(value)
        return value.to_f if defined?(::ActiveSupport::Duration) && ::ActiveSupport::Duration === value

        Float(value, exception: false) if value.is_a?(Numeric) || value.is_a?(String)
      rescue RangeError # a Complex
        nil
      end

      def shown(value)
        value.inspect[0, 100]
      rescue StandardError
        "a #{value.class}"
      end
    end
  end
end
