# frozen_string_literal: true

require "digest"

module Ecommerce
  # A mail service that needs no network. It delivers to every address except those at the domains below,
  # and a mail with the same idempotency key is the same mail.
  module MailService
    class RateLimited < StandardError; end
    class Unavailable < StandardError; end

    def self.deliver(recipient, idempotency_key:)
      case recipient[/@(.+)\z/, 1]
      when "rate-limited.example" then raise RateLimited, "too many mails"
      when "unavailable.example" then raise Unavailable, "the mail service does not answer"
      end

      "msg_#{Digest::SHA256.hexdigest("mail:#{idempotency_key}")[0, 12]}"
    end
  end
end
