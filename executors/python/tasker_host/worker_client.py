"""The host as a client of the worker: sends requests, and routes each response to its receiver."""

import itertools
import threading

from tasker_host.wire import encode


class WorkerClient:
    """Sends requests and passes each response to the receiver of its request. Responses arrive on the reader's thread.
    """

    def __init__(self, writer, offered, rotation):
        """offered are the methods that the worker offers."""
        self.offered = frozenset(offered)
        self.loop_thread = None
        self._rotation = rotation
        self._writer = writer
        self._ids = itertools.count(1)
        self._pending = {}
        self._lock = threading.Lock()

    def notify(self, method, params):
        self._writer.notify(method, params)

    def forward(self, message):
        """Sends a message that another process wrote."""
        self._writer.write(message)

    def request(self, method, params, receive):
        """Sends a request, whose params are JSON, and returns its id. The response is passed to receive."""
        with self._lock:
            request_id = f"c{next(self._ids)}"
            self._pending[request_id] = receive
        self._rotation.yield_lead()
        head = b'{"jsonrpc":"2.0","id":%b,"method":%b' % (encode(request_id), encode(method))
        self._writer.write(b'%b,"params":%b}' % (head, params))
        return request_id

    def forget(self, request_id):
        """Drops the response to a request."""
        with self._lock:
            self._pending.pop(request_id, None)

    def handle_response(self, message):
        with self._lock:
            receive = self._pending.pop(message.get("id"), None)
        if receive:
            receive(message)
