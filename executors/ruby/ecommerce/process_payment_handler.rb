# frozen_string_literal: true

require_relative "order_step"
require_relative "payment_gateway"

module Ecommerce
  module StepHandlers
    # Charges the customer. The step's idempotency key is the same on every attempt, so a retry never charges twice.
    class ProcessPaymentHandler < Tasker::StepHandler::Base
      include OrderStep

      def process(task, sequence, step)
        payment = task.context.fetch("payment_info", {})
        method = require_present(payment["method"], "MISSING_PAYMENT_METHOD", "no payment method was given")
        token = require_present(payment["token"], "MISSING_PAYMENT_TOKEN", "no payment token was given")
        total = require_present(results_of(sequence, "validate_cart")&.dig("total"),
                                "MISSING_CART_TOTAL", "validate_cart left no total")
        compare(payment["amount"], total)
        receipt = charge(token, step)

        {
          payment_id: receipt.payment_id,
          amount_charged: total,
          currency: payment.fetch("currency", "USD"),
          payment_method_type: method,
          transaction_id: receipt.transaction_id,
          processed_at: timestamp,
          status: receipt.status
        }
      end

      private

      def compare(amount, total)
        return if amount == total

        raise Tasker::PermanentError.new("the customer agreed to #{amount.inspect}, the order costs #{total}",
                                         error_code: "PAYMENT_AMOUNT_MISMATCH")
      end

      def charge(token, step)
        charge = PaymentGateway.charge(token: token, idempotency_key: step.idempotency_key)
        return charge if charge.status == "completed"

        raise Tasker::RetryableError, "the gateway reports the status #{charge.status} for #{charge.payment_id}"
      rescue PaymentGateway::Declined => e
        raise Tasker::PermanentError.new("payment declined: #{e.message}", error_code: "PAYMENT_DECLINED")
      rescue PaymentGateway::RateLimited => e
        raise Tasker::RetryableError.new("payment postponed: #{e.message}", retry_after: 30)
      rescue PaymentGateway::Unavailable => e
        raise Tasker::RetryableError, "payment postponed: #{e.message}"
      end
    end
  end
end
