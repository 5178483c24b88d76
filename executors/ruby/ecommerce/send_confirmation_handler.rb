# frozen_string_literal: true

require "uri"
require_relative "mail_service"
require_relative "order_step"

module Ecommerce
  module StepHandlers
    # Tells the customer that the order is on its way.
    class SendConfirmationHandler < Tasker::StepHandler::Base
      include OrderStep

      def process(task, sequence, step)
        email = require_present(task.context.dig("customer_info", "email"),
                                "MISSING_CUSTOMER_EMAIL", "the customer has no email address")
        require_present(results_of(sequence, "create_order"), "MISSING_ORDER_RESULT", "create_order left no results")
        require_present(results_of(sequence, "validate_cart"),
                        "MISSING_CART_VALIDATION", "validate_cart left no results")

        {
          email_sent: true,
          recipient: email,
          email_type: "order_confirmation",
          sent_at: timestamp,
          message_id: deliver(email, step)
        }
      end

      private

      def deliver(email, step)
        unless email.match?(URI::MailTo::EMAIL_REGEXP)
          raise Tasker::PermanentError.new("#{email} is not an email address", error_code: "INVALID_EMAIL")
        end

        MailService.deliver(email, idempotency_key: step.idempotency_key)
      rescue MailService::RateLimited => e
        raise Tasker::RetryableError.new("mail postponed: #{e.message}", retry_after: 60)
      rescue MailService::Unavailable => e
        raise Tasker::RetryableError, "mail postponed: #{e.message}"
      end
    end
  end
end
