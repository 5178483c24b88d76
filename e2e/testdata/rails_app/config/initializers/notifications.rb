# frozen_string_literal: true

ActiveSupport::Notifications.subscribe("reserve.storefront") do |event|
  Rails.logger.info("reserved #{event.payload[:quantity]} of #{event.payload[:sku]}")
end
