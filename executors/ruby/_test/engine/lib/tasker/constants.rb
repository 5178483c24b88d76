# frozen_string_literal: true

module Tasker
  module Constants
    module TaskStatuses
      PENDING = "pending"
      COMPLETE = "complete"
    end

    module WorkflowStepStatuses
      PENDING = "pending"
      COMPLETE = "complete"
    end
  end
end
