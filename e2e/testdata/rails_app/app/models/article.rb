# frozen_string_literal: true

class Article < ApplicationRecord
  validates :sku, presence: true
end
