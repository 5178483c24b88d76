'use strict';

// An error for a request that the host cannot serve. An error of a handler is a failure outcome, never an RpcError.
class RpcError extends Error {
  static PARSE = -32700;
  static INVALID_REQUEST = -32600;
  static UNKNOWN_METHOD = -32601;
  static BAD_PARAMS = -32602;
  static INTERNAL = -32603;
  static NOT_INITIALIZED = -32001;
  static UNSUPPORTED_VERSION = -32002;
  static HANDLER_NOT_FOUND = -32003;
  static NOT_LOADED = -32004;
  static OVERLOADED = -32005;
  static SHUTTING_DOWN = -32006;
  static TOO_LARGE = -32007;
  static DUPLICATE = -32009;

  constructor(code, message, data) {
    super(message);
    this.code = code;
    this.data = data;
  }
}

module.exports = { RpcError };
