# frozen_string_literal: true

# Found by its name.
class StockKeeper
  def reserve(sku, quantity)
    ActiveSupport::Notifications.instrument("reserve.storefront", sku: sku, quantity: quantity) do
      Article.transaction { Article.lock.find_by!(sku: sku).tap { |article| article.decrement!(:stock, quantity) } }
    end
  end
end
