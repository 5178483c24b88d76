# frozen_string_literal: true

module Storefront
  # Leaves what it takes from the app to the app's executor.
  class CountArticles < Tasker::StepHandler::Base
    def process(task, _sequence, step)
      leftover = Current.order_id
      Current.order_id = step.workflow_step_id
      Article.connection.select_value("SELECT pg_sleep(#{Float(task.context["seconds"])})")
      { articles: Article.count, leftover: leftover, busy: ActiveRecord::Base.connection_pool.stat[:busy] }
    end
  end
end
