# frozen_string_literal: true

require "minitest/autorun"
require "tasker/testing"
require_relative "{{.Name}}"

class {{.Class}}Test < Minitest::Test
  def test_succeeds
    outcome = Tasker::Testing.run({{.Handler}}, context: { "a" => 1 }{{if .After}}, results: { "{{.After}}" => { "b" => 2 } }{{end}})
    assert outcome.success?, outcome.failure.inspect
    assert_equal({ "a" => 1 }, outcome.result["context"])
{{- if .After}}
    assert_equal({ "b" => 2 }, outcome.result["before"])
{{- end}}
  end
end
