"""Requests of handlers to the worker, and who waits for which answer."""

import itertools
import threading

from tasker_host.wire import encode


class Link:
    """Sends requests and hands each answer to whoever waits for it. Answers arrive on the reader's thread."""

    def __init__(self, writer, offered, turns):
        self.offered = frozenset(offered)
        self.loop_thread = None
        self._turns = turns
        self._writer = writer
        self._ids = itertools.count(1)
        self._waiting = {}
        self._lock = threading.Lock()

    def notify(self, method, params):
        self._writer.notify(method, params)

    def pass_on(self, message):
        """Sends a message that another process has made."""
        self._writer.write(message)

    def send(self, method, params, receive):
        """Sends a request whose answer is passed to receive, and returns its id. params are JSON already."""
        with self._lock:
            request_id = f"c{next(self._ids)}"
            self._waiting[request_id] = receive
        self._turns.leave()
        self._writer.write(b'{"jsonrpc":"2.0","id":%b,"method":%b,"params":%b}' % (encode(request_id), encode(method), params))
        return request_id

    def forget(self, request_id):
        with self._lock:
            self._waiting.pop(request_id, None)

    def answered(self, message):
        with self._lock:
            receive = self._waiting.pop(message.get("id"), None)
        if receive:
            receive(message)
