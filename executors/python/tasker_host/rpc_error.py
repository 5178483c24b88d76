"""Errors for requests that the host cannot serve. An error of a handler is a failure outcome, never an RpcError."""

PARSE = -32700
INVALID_REQUEST = -32600
UNKNOWN_METHOD = -32601
BAD_PARAMS = -32602
INTERNAL = -32603
NOT_INITIALIZED = -32001
UNSUPPORTED_VERSION = -32002
HANDLER_NOT_FOUND = -32003
OVERLOADED = -32005
SHUTTING_DOWN = -32006
TOO_LARGE = -32007
DUPLICATE = -32009
STALE_LEASE = -32020
NOT_PERMITTED = -32021
RATE_LIMITED = -32022
UNAVAILABLE = -32023


class RpcError(Exception):
    def __init__(self, code, message, data=None, request_id=None):
        """request_id is set if the request could not be decoded as a whole."""
        super().__init__(message)
        self.code = code
        self.request_id = request_id
        self.message = message
        self.data = data
