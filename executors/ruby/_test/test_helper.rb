# frozen_string_literal: true

require "fileutils"
require "io/wait"
require "minitest/autorun"
require "tempfile"
require "timeout"

$LOAD_PATH.unshift(File.expand_path("../tasker_host/sdk", __dir__))
require "tasker/testing"

class Minitest::Test
  def run_handler(handler, **options)
    Tasker::Testing.run(handler, **options)
  end
end
