"""One execution of one step: calls the handler and turns whatever happens into the message to answer with."""

import inspect
import time

from tasker_host import arguments, failure, result_json
from tasker_host.wire import encode


class Execution:
    def __init__(self, request_id, params, handler, limits):
        self.execution_id = params["execution_id"]
        self.handler = handler
        self.started = time.monotonic()
        self._request_id = request_id
        self._params = params
        self._limits = limits

    def perform(self, loop):
        """The response, from a thread. A plain function that returned a coroutine is awaited on the loop.

        Serialising is guarded like the handler itself: a result that cannot be sent is a failure.
        """
        try:
            result = self.handler.call(*arguments.of(self._params))
            if inspect.iscoroutine(result):
                result = loop.wait_for(result)
            return self._success(result)
        except BaseException as error:  # sys.exit() ends the step, not the host
            return self._failure(error)

    async def perform_async(self):
        """The response, from the event loop."""
        try:
            return self._success(await self.handler.call(*arguments.of(self._params)))
        except BaseException as error:
            return self._failure(error)

    def _success(self, result):
        return self._response(b'{"outcome":"success","result":%b}' % result_json.generate(result, **self._limits))

    def _failure(self, error):
        return self._response(encode({"outcome": "failure", "failure": _described(error)}))

    def _response(self, result):
        return b'{"jsonrpc":"2.0","id":%b,"result":%b}' % (encode(self._request_id), result)


def _described(error):
    """Exceptions are users' code too, and may raise when asked what they are. There is always an answer."""
    try:
        return failure.of(error)
    except Exception as e:
        message = f"an exception that cannot be described: {type(e).__name__}"
        return {"kind": "retryable", "class": "Exception", "message": message, "backtrace": []}
