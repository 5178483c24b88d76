# frozen_string_literal: true

module Storefront
  # Reads the context in all the ways that handlers do.
  class LoadOrder < Tasker::StepHandler::Base
    def process(task, _sequence, step)
      order = task.context.with_indifferent_access
      Current.order_id = order[:order_id]
      settings = Rails.application.config_for(:storefront)
      {
        context: [task.context["order_id"], task.context[:order_id], order[:order_id], task.context.deep_symbolize_keys.dig(:customer, :name)],
        inputs: step.inputs["order_id"],
        settings: [settings[:currency], settings.dig(:limits, :per_order)],
        secret: Rails.application.credentials.missing,
        zone: Time.zone.name,
        past: 3.days.ago.past?,
        current: Current.order_id,
        cached: Rails.cache.fetch("rate") { 7 } + Rails.cache.fetch("rate") { 8 },
        production: Rails.env.production?,
        root: Rails.root.basename.to_s
      }
    end
  end
end
