# frozen_string_literal: true

require "date"
require "digest"
require_relative "order_step"

module Ecommerce
  module StepHandlers
    # Writes down the order, once everything it rests on is there.
    class CreateOrderHandler < Tasker::StepHandler::Base
      include OrderStep

      DELIVERY_DAYS = 7

      def process(task, sequence, step)
        customer = require_present(task.context["customer_info"], "MISSING_CUSTOMER_INFO", "the order has no customer")
        cart = require_results(sequence, "validate_cart", "MISSING_CART_VALIDATION")
        payment = require_results(sequence, "process_payment", "MISSING_PAYMENT_RESULT")
        inventory = require_results(sequence, "update_inventory", "MISSING_INVENTORY_RESULT")
        check_consistency(cart, payment, inventory)

        {
          **numbers_for(task, step),
          status: "confirmed",
          total_amount: cart["total"],
          customer_email: customer["email"],
          created_at: timestamp,
          estimated_delivery: (Time.now.utc.to_date + DELIVERY_DAYS).strftime("%B %d, %Y")
        }
      end

      private

      def require_results(sequence, step_name, error_code)
        require_present(results_of(sequence, step_name), error_code, "#{step_name} left no results")
      end

      def check_consistency(cart, payment, inventory)
        return if payment["amount_charged"] == cart["total"] && inventory["total_items_reserved"] == cart["item_count"]

        raise Tasker::PermanentError.new("cart, payment and inventory disagree", error_code: "ORDER_VALIDATION_FAILED")
      end

      # The same on every attempt: they rest on the request and the idempotency key, not on the moment.
      def numbers_for(task, step)
        id = Digest::SHA256.hexdigest("order:#{step.idempotency_key}")
        date = Date.parse(task.requested_at.to_s)

        { order_id: id[0, 7].to_i(16), order_number: "ORD-#{date.strftime('%Y%m%d')}-#{id[0, 8].upcase}" }
      end
    end
  end
end
