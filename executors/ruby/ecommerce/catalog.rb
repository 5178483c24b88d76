# frozen_string_literal: true

module Ecommerce
  # The products of a small shop and what is in stock of each. A real shop would ask its database.
  module Catalog
    Product = Struct.new(:id, :name, :price, :stock, :active, keyword_init: true)

    PRODUCTS = [
      Product.new(id: 1, name: "Widget A", price: 29.99, stock: 100, active: true),
      Product.new(id: 2, name: "Widget B", price: 49.99, stock: 50, active: true),
      Product.new(id: 3, name: "Widget C", price: 19.99, stock: 2, active: true),
      Product.new(id: 4, name: "Widget D", price: 9.99, stock: 10, active: false)
    ].to_h { |product| [product.id, product.freeze] }.freeze

    def self.find(id)
      PRODUCTS[id]
    end
  end
end
