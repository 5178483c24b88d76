# frozen_string_literal: true

class Current < ActiveSupport::CurrentAttributes
  attribute :order_id
end
