# frozen_string_literal: true

module Tasker
  class Error < StandardError; end
  class ProceduralError < Error; end

  class RetryableError < ProceduralError
    attr_reader :retry_after, :context

    def initialize(message = nil, retry_after: nil, context: {})
      super(message)
      @retry_after, @context = retry_after, context
    end
  end

  class PermanentError < ProceduralError
    attr_reader :error_code, :context

    def initialize(message = nil, error_code: nil, context: {})
      super(message)
      @error_code, @context = error_code, context
    end
  end
end
