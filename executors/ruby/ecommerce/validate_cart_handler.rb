# frozen_string_literal: true

require_relative "catalog"
require_relative "order_step"

module Ecommerce
  module StepHandlers
    # Looks up each item of the cart and works out what the order costs.
    # Prices are the catalogue's, whatever the customer sent.
    class ValidateCartHandler < Tasker::StepHandler::Base
      include OrderStep

      TAX_RATE = 0.08
      WEIGHT_PER_ITEM = 0.5

      def process(task, _sequence, _step)
        items = require_present(task.context["cart_items"], "MISSING_CART_ITEMS", "the cart is empty")
        items = items.map { |item| validate(item) }

        totals(items).merge(
          validated_items: items,
          item_count: items.sum { |item| item[:quantity] },
          validated_at: timestamp
        )
      end

      private

      def validate(item)
        id = require_present(item["product_id"], "MISSING_PRODUCT_ID", "an item has no product_id")
        quantity = valid_quantity(item)
        product = available_product(id)
        if quantity > product.stock
          raise Tasker::RetryableError.new("#{product.name}: #{quantity} wanted, #{product.stock} in stock",
                                           context: { product_id: id })
        end

        { product_id: id, name: product.name, price: product.price, quantity: quantity,
          line_total: (product.price * quantity).round(2) }
      end

      def valid_quantity(item)
        quantity = item["quantity"]
        return quantity if quantity.is_a?(Integer) && quantity.positive?

        refuse "INVALID_QUANTITY", "product #{item['product_id']}: #{quantity.inspect} is not a quantity"
      end

      def available_product(id)
        product = Catalog.find(id) or refuse "PRODUCT_NOT_FOUND", "there is no product #{id}"
        refuse "PRODUCT_INACTIVE", "#{product.name} is no longer sold" unless product.active

        product
      end

      def refuse(error_code, message)
        raise Tasker::PermanentError.new(message, error_code: error_code)
      end

      def totals(items)
        subtotal = items.sum { |item| item[:line_total] }.round(2)
        tax = (subtotal * TAX_RATE).round(2)
        shipping = shipping_for(items.sum { |item| item[:quantity] } * WEIGHT_PER_ITEM)

        { subtotal: subtotal, tax: tax, shipping: shipping, total: (subtotal + tax + shipping).round(2) }
      end

      def shipping_for(weight)
        case weight
        when 0..2 then 5.99
        when 2..10 then 9.99
        else 14.99
        end
      end
    end
  end
end
