# frozen_string_literal: true

require "digest"

module Demo
  # Gathers what was rendered, and puts it on an imaginary shelf.
  class PublishReport < Tasker::StepHandler::Base
    FORMATS = { "text" => "render_text", "html" => "render_html" }.freeze

    def process(task, sequence, _step)
      documents = FORMATS.transform_values { |step_name| sequence.find_step_by_name(step_name).results["document"] }

      {
        title: "Sales of #{task.context['quarter']}",
        documents: documents,
        checksums: documents.transform_values { |document| Digest::SHA256.hexdigest(document) }
      }
    end
  end
end
