# frozen_string_literal: true

require "digest"
require_relative "catalog"
require_relative "order_step"

module Ecommerce
  module StepHandlers
    # Reserves what was paid for.
    class UpdateInventoryHandler < Tasker::StepHandler::Base
      include OrderStep

      def process(task, sequence, step)
        items = require_present(results_of(sequence, "validate_cart")&.dig("validated_items"),
                                "MISSING_VALIDATED_ITEMS", "validate_cart left no items")
        require_present(task.context["customer_info"], "MISSING_CUSTOMER_INFO", "the order has no customer")
        products = items.map { |item| reserve(item, step) }

        {
          updated_products: products,
          total_items_reserved: products.sum { |product| product[:quantity_reserved] },
          inventory_changes: products.map { |product| change(product) },
          updated_at: timestamp
        }
      end

      private

      def reserve(item, step)
        product = Catalog.find(item["product_id"])
        quantity = item["quantity"]
        raise Tasker::RetryableError, "#{item['name']} sold out meanwhile" if product.nil? || product.stock < quantity

        { product_id: product.id, name: product.name, previous_stock: product.stock,
          new_stock: product.stock - quantity, quantity_reserved: quantity,
          reservation_id: reservation_id(product, step) }
      end

      def reservation_id(product, step)
        "rsv_#{Digest::SHA256.hexdigest("reservation:#{step.idempotency_key}:#{product.id}")[0, 12]}"
      end

      def change(product)
        { product_id: product[:product_id], change_type: "reservation", quantity: -product[:quantity_reserved],
          reservation_id: product[:reservation_id] }
      end
    end
  end
end
