# frozen_string_literal: true

module Tasker
  # errors.rb defines no Tasker::Errors, so that no app with the engine can be loaded whole.
  class Engine < ::Rails::Engine
    isolate_namespace Tasker
    config.autoload_paths << root.join("lib").to_s
    config.eager_load_paths << root.join("lib").to_s
  end
end
