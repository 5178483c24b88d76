# frozen_string_literal: true

module Tasker
  # The engine's names for states, as they are stored.
  module Constants
    module TaskStatuses
      PENDING = "pending"
      IN_PROGRESS = "in_progress"
      ERROR = "error"
      COMPLETE = "complete"
      RESOLVED_MANUALLY = "resolved_manually"
      CANCELLED = "cancelled"
    end

    WorkflowStepStatuses = TaskStatuses
  end
end
