# frozen_string_literal: true

# As in the engine, files are required by hand although the autoloader of the app knows them, too.
module Tasker; end
require "tasker/errors"
require "tasker/constants"
require "tasker/concerns/event_publisher"
require "tasker/concerns/structured_logging"
require "tasker/step_handler/base"
require "tasker/step_handler/api"
require "tasker/task_handler"
require "tasker/task_builder"
require "tasker/configured_task"
require "tasker/engine" if defined?(Rails::Engine)
