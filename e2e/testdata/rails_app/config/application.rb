# frozen_string_literal: true

require "logger" # Rails before 7.1 leans on it
require "rails"
require "active_record/railtie"

module Storefront
  # A small app with what handlers lean on: models, services, settings, caches, time zones.
  class Application < Rails::Application
    config.load_defaults Rails::VERSION::STRING.to_f
    config.cache_store = :memory_store
    config.eager_load = Rails.env.production?
    config.cache_classes = Rails.env.production?
    config.log_level = :info
    config.secret_key_base = "no secret"
    config.time_zone = "Berlin"
  end
end
