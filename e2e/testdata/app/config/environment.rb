# frozen_string_literal: true

# What a Rails app's environment gives to handlers: settings, and the app's own code.
module Warehouse
  STOCK = { "tea" => 7 }.freeze
  BOOTED_IN = Dir.pwd
end
