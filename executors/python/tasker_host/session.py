"""What `initialize` agreed on: the limits, and the handlers of the folder that it named."""

import errno
import os
import platform

from tasker_host import payload_file
from tasker_host.load_timer import LoadTimer
from tasker_host.loader import Loader
from tasker_host.rpc_error import BAD_PARAMS, HANDLER_NOT_FOUND, INTERNAL, UNSUPPORTED_VERSION, RpcError
from tasker_host.text import clip

PROTOCOL_VERSION = 1
SDK_VERSION = "0.1.0"
MAX_MESSAGE_BYTES = 4 << 20
MAX_INLINE_BYTES = 1 << 20
MAX_JSON_DEPTH = 64
MAX_CONCURRENCY = 8
SHUTDOWN_GRACE_MS = 25_000
STARTUP_TIMEOUT_MS = 60_000
# The parts of the startup timeout in which all files have to load, and one file. The worker waits for the whole
# timeout.
LOADING_SHARE = 0.9
LOADING_SHARE_EACH = 0.5
CANCEL_GRACE_MS = 10_000
MAX_FILE_BYTES = 64 << 20
# Errors that may not occur in another attempt.
_TRANSIENT = frozenset([errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EIO])


class Session:
    def __init__(self, params):
        _check_version(params.get("protocol_versions"))
        config = _object(params, "config")
        root = config.get("handler_root")
        if root is not None and not isinstance(root, str):
            raise _bad("config.handler_root must be a string")
        # Whether a host has started this process for its `cpu` handlers. Then this process runs them itself.
        self.is_cpu_process = "cpu_files" in config
        limits = _object(params, "limits")
        self.max_message_bytes = _positive(limits, "max_message_bytes", MAX_MESSAGE_BYTES)
        self.max_concurrency = _positive(limits, "max_concurrency", MAX_CONCURRENCY)
        offered = _object(params, "capabilities")
        self.callbacks = _texts(offered.get("callbacks"))
        self.result_limits = {
            "max_file_bytes": _positive(limits, "max_file_bytes", MAX_FILE_BYTES),
            "payload_files": offered.get("payload_files") is True,
            "max_bytes": _positive(limits, "max_inline_bytes", MAX_INLINE_BYTES),
            "max_depth": _positive(limits, "max_json_depth", MAX_JSON_DEPTH),
        }
        self.shutdown_grace = _positive(_object(params, "timing"), "shutdown_grace_ms", SHUTDOWN_GRACE_MS) / 1000
        self.cancel_grace = _positive(_object(params, "timing"), "cancel_grace_ms", CANCEL_GRACE_MS) / 1000
        startup_timeout = _positive(_object(params, "timing"), "startup_timeout_ms", STARTUP_TIMEOUT_MS) / 1000
        self._loading = LOADING_SHARE * startup_timeout, LOADING_SHARE_EACH * startup_timeout
        self._params = params
        self._loader = Loader(root, config.get("cpu_files"), _texts(config.get("skip_files")))

    def load(self):
        """Loads the handlers. A file that fails or does not finish loading is reported; the others are served."""
        self._loader.load(LoadTimer(*self._loading))

    def unpacked(self, params):
        """The params of step.execute, read from the params_file if there is one."""
        described = params.get("params_file")
        if described is None:
            return params
        folder = params.get("scratch_dir")
        if not isinstance(described, dict) or not isinstance(folder, str):
            raise _bad("params_file must be an object, and scratch_dir the folder of the file")
        try:
            read = payload_file.read(folder, described, self.result_limits["max_file_bytes"])
        except OSError as error:
            if error.errno in _TRANSIENT:
                raise RpcError(INTERNAL, f"params_file cannot be read now: {clip(error, 500)}") from error
            raise _bad(f"params_file cannot be read: {clip(error, 500)}") from error
        except (ValueError, payload_file.BadFile) as error:
            raise _bad(f"params_file cannot be read: {clip(error, 500)}") from error
        return {**read, "execution_id": params.get("execution_id"), "scratch_dir": folder}

    def handler(self, params):
        """The handler that the params of step.execute name."""
        _check_well_formed(params)
        name = params["handler"]["name"]
        handler = self._loader.handlers.get(name)
        if handler is None:
            raise RpcError(HANDLER_NOT_FOUND, "handler_not_found", {"name": name})
        return handler

    def cpu_process_params(self):
        """The params of `initialize` for processes that run the `cpu` handlers, one step at a time."""
        files = sorted({handler.file for handler in self._loader.handlers.values() if handler.cpu})
        limits = {**_object(self._params, "limits"), "max_message_bytes": self.max_message_bytes, "max_concurrency": 1}
        return {**self._params, "limits": limits, "config": {**_object(self._params, "config"), "cpu_files": files}}

    def description(self):
        """The result of `initialize`."""
        return {
            "protocol_version": PROTOCOL_VERSION,
            "executor": {
                "language": "python",
                "language_version": platform.python_version(),
                "sdk": "tasker-worker",
                "sdk_version": SDK_VERSION,
                "pid": os.getpid(),
            },
            "capabilities": {
                "max_concurrency": self.max_concurrency,
                "cancel": "cooperative",
                "step_heartbeats": True,
                "structured_logs": True,
                "payload_files": True,
                "deferred": True,
                "reload": False,
            },
            "handlers": [handler.description() for handler in self._loader.handlers.values()],
            "handlers_complete": True,
            "load_errors": self._loader.errors,
        }


def _check_version(versions):
    if not isinstance(versions, list) or PROTOCOL_VERSION not in versions:
        raise RpcError(UNSUPPORTED_VERSION, "unsupported_protocol_version", {"supported": [PROTOCOL_VERSION]})


def _positive(parent, name, default):
    value = parent.get(name, default)
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return value
    raise _bad(f"{name} must be a positive integer")


def _texts(value):
    return [text for text in value if isinstance(text, str)] if isinstance(value, list) else []


def _object(params, name):
    value = params.get(name) or {}
    if isinstance(value, dict):
        return value
    raise _bad(f"{name} must be an object")


def _check_well_formed(params):
    execution_id, handler = params.get("execution_id"), params.get("handler")
    if not isinstance(execution_id, str) or not execution_id:
        raise _bad("execution_id must be a string")
    if not isinstance(handler, dict) or not isinstance(handler.get("name"), str):
        raise _bad("handler.name must be a string")
    if not isinstance(params.get("step"), dict) or not isinstance(params.get("task"), dict):
        raise _bad("step and task must be objects")
    dependencies = params.get("dependencies") or {}
    if not isinstance(dependencies, dict) or not all(isinstance(step, dict) for step in dependencies.values()):
        raise _bad("dependencies must be an object of objects")


def _bad(message):
    return RpcError(BAD_PARAMS, message)
