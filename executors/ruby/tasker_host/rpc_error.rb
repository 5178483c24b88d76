# frozen_string_literal: true

module TaskerHost
  # An error for a request that the host cannot serve. An error of a handler is a failure outcome, never an RpcError.
  class RpcError < StandardError
    PARSE = -32_700
    INVALID_REQUEST = -32_600
    UNKNOWN_METHOD = -32_601
    BAD_PARAMS = -32_602
    INTERNAL = -32_603
    NOT_INITIALIZED = -32_001
    UNSUPPORTED_VERSION = -32_002
    HANDLER_NOT_FOUND = -32_003
    NOT_LOADED = -32_004
    OVERLOADED = -32_005
    SHUTTING_DOWN = -32_006
    TOO_LARGE = -32_007
    DUPLICATE = -32_009

    # request_id is set if the request could not be decoded as a whole.
    attr_reader :code, :data, :request_id

    def initialize(code, message, data = nil, request_id: nil)
      super(message)
      @code = code
      @data = data
      @request_id = request_id
    end

    # The error member of a response.
    def to_h
      error = { code: code, message: message }
      error[:data] = data if data
      error
    end
  end
end
