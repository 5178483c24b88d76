# frozen_string_literal: true

module Tasker
  class Error < StandardError; end unless TaskerHost::SDK.defined_by_app?(self, :Error)
  class ProceduralError < Error; end unless TaskerHost::SDK.defined_by_app?(self, :ProceduralError)

  unless TaskerHost::SDK.defined_by_app?(self, :RetryableError)
    # Fails the attempt and asks for the next one after `retry_after` seconds.
    class RetryableError < ProceduralError
      attr_reader :retry_after, :context

      def initialize(message = nil, retry_after: nil, context: {})
        super(message)
        @retry_after = retry_after
        @context = context
      end
    end
  end

  unless TaskerHost::SDK.defined_by_app?(self, :PermanentError)
    # Fails the step permanently: it is not retried, whatever its limit.
    class PermanentError < ProceduralError
      attr_reader :error_code, :context

      def initialize(message = nil, error_code: nil, context: {})
        super(message)
        @error_code = error_code
        @context = context
      end
    end
  end

  # Ends the attempt without counting it; the step runs again after `resume_after` seconds and finds the checkpoint:
  #   raise Tasker::Deferred.new(30, { "job" => id })
  class Deferred < Error
    attr_reader :resume_after, :checkpoint

    def initialize(seconds = 0, data = nil, resume_after: seconds, checkpoint: data)
      super("deferred for #{resume_after} seconds")
      @resume_after = resume_after
      @checkpoint = checkpoint
    end
  end

  # The worker has cancelled this attempt. It is no StandardError, so that a handler's `rescue` does not treat it as a
  # failure of its work.
  class Cancelled < Exception # rubocop:disable Lint/InheritException
    # "timeout", "user", "lease_lost" or "shutdown".
    attr_reader :reason

    def initialize(message = nil, reason: nil)
      super(message || "the step was cancelled#{" (#{reason})" if reason}")
      @reason = reason
    end
  end

  # The worker has refused a request.
  class CallbackError < Error
    # The JSON-RPC code of the worker's answer, or nil.
    attr_reader :code

    def initialize(message = nil, code: nil)
      super(message)
      @code = code
    end
  end

  # Another attempt owns the step: stop, and cause no more effects.
  class LeaseLost < CallbackError; end
  # The handler is not allowed to make this request.
  class NotPermitted < CallbackError; end
  # This worker does not offer this request. Nothing was sent.
  class NotOffered < CallbackError; end

  # Two files define the handler of one name.
  class DuplicateHandler < Error; end
end
