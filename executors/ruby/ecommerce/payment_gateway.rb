# frozen_string_literal: true

require "digest"

module Ecommerce
  # A payment gateway that needs no network. It charges every token except the ones below, and a charge
  # with the same idempotency key is the same charge.
  module PaymentGateway
    class Declined < StandardError; end
    class RateLimited < StandardError; end
    class Unavailable < StandardError; end

    Charge = Struct.new(:payment_id, :transaction_id, :status, keyword_init: true)

    def self.charge(token:, idempotency_key:)
      case token
      when "tok_declined" then raise Declined, "insufficient funds"
      when "tok_rate_limited" then raise RateLimited, "too many charges"
      when "tok_unavailable" then raise Unavailable, "the gateway does not answer"
      end

      id = Digest::SHA256.hexdigest("charge:#{idempotency_key}")
      Charge.new(payment_id: "pay_#{id[0, 12]}", transaction_id: "txn_#{id[12, 12]}",
                 status: token == "tok_unknown" ? "unknown" : "completed")
    end
  end
end
