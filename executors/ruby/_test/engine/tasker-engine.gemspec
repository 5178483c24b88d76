# frozen_string_literal: true

# A stand-in for the Rails engine: its constants, their superclasses and what they do to each other, and none of its tables.
Gem::Specification.new do |spec|
  spec.name = "tasker-engine"
  spec.version = "1.0.0"
  spec.summary = "The class hierarchy of the Tasker Rails engine"
  spec.authors = ["tasker-worker"]
  spec.files = Dir["lib/**/*.rb"]
end
