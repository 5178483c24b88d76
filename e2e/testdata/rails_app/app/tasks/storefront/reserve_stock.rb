# frozen_string_literal: true

module Storefront
  # Changes the app's own tables through the app's own code.
  class ReserveStock < Tasker::StepHandler::Base
    def process(task, sequence, _step)
      article = StockKeeper.new.reserve(task.context["sku"], task.context["quantity"])
      {
        article: article,
        order: sequence.find_step_by_name(:load_order).results.deep_symbolize_keys[:current],
        current: Current.order_id,
        application: Article.connection.select_value("SHOW application_name")
      }
    end
  end
end
