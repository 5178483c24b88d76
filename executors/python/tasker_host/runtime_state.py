"""Settings that Python keeps for the whole process and a handler may change.

Reading all of them takes less than 1 µs, so they are compared whenever no step runs.
"""

import gc
import logging
import sys
import time
import warnings

_recursion_limit, _collects, _loaded, _manager = sys.getrecursionlimit, gc.isenabled, sys.modules, logging.root.manager
_HAS_IMPL = hasattr(warnings, "_showwarnmsg_impl")


class RuntimeState:
    def __init__(self):
        """Keeps the current settings."""
        self._filters = list(warnings.filters)
        self._handlers = list(logging.root.handlers)
        self._disabled = {name for name, logger in _loggers() if logger.disabled}
        self._level = logging.root.level
        self._kept = _read()

    def keep_level(self):
        """Keeps the log level, which the worker has changed."""
        self._level = logging.root.level

    def changed(self):
        return (
            _read() != self._kept
            or logging.root.level != self._level
            or warnings.filters != self._filters
            or logging.root.handlers != self._handlers
        )

    def restore(self):
        limit, collects, timeout, show, show_message, _, disabled = self._kept
        sys.setrecursionlimit(limit)
        (gc.enable if collects else gc.disable)()
        if "_socket" in sys.modules:
            sys.modules["_socket"].setdefaulttimeout(timeout)
        time.tzset()
        self._restore_warnings(show, show_message)
        self._restore_logging(disabled)

    def _restore_warnings(self, show, show_message):
        if warnings.filters != self._filters:
            warnings.resetwarnings()  # clears the caches of warnings that were shown
            warnings.filters[:] = self._filters
        warnings.showwarning = show
        if show_message is not None:
            warnings._showwarnmsg_impl = show_message

    def _restore_logging(self, disabled):
        """Undoes a new configuration of logging, which removes the host's handler and disables unnamed loggers."""
        logging.disable(disabled)
        logging.root.setLevel(self._level)
        if logging.root.handlers != self._handlers:
            logging.root.handlers[:] = self._handlers
            for name, logger in _loggers():
                logger.disabled = name in self._disabled


def _read():
    return (
        _recursion_limit(),
        _collects(),
        _loaded["_socket"].getdefaulttimeout() if "_socket" in _loaded else None,
        warnings.showwarning,
        warnings._showwarnmsg_impl if _HAS_IMPL else None,
        time.tzname,
        _manager.disable,
    )


def _loggers():
    known = list(logging.root.manager.loggerDict.items())
    return [(name, logger) for name, logger in known if isinstance(logger, logging.Logger)]
