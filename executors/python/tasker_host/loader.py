"""Loads every handler file below a folder and registers the handlers.

A request can name only handlers that were registered here: no name in a request is imported.
"""

import functools
import importlib
import importlib.util
import logging
import os
import sys

from tasker_host import failure, fork, scan
from tasker_host.handler import Handler, served
from tasker_host.load_timer import LoadTimeout

NAME_BYTES = 200


class DuplicateHandler(Exception):
    """Two handlers have one name."""


class NameTaken(Exception):
    """The module name of a file belongs to another module."""


class Loader:
    def __init__(self, root, files=None, left_out=()):
        """files are the files to load, relative to root; None for all files except those in left_out."""
        self._root = os.path.realpath(root) if root else None
        self._files = files
        self._left_out = left_out
        self.handlers = {}
        # Failures by file, as the worker reports them.
        self.errors = []

    def load(self, timer):
        """Loads the files within the time of the timer. Afterwards handlers and errors are complete."""
        if self._root is None or not os.path.isdir(self._root):
            return
        sys.path.insert(_before_installed_packages(), self._root)
        paths, skipped = scan.files(self._root)
        files = {path: os.path.relpath(path, self._root) for path in paths}
        if self._files is None:
            for path, reason in skipped:
                logging.getLogger("tasker").warning("%s is not loaded: %s", path, reason)
        else:
            files = {path: file for path, file in files.items() if file in self._files}
        files = {path: file for path, file in files.items() if file not in self._left_out}
        self._load_in_time(files, timer)
        self.errors.sort(key=lambda error: error["file"])

    def _load_in_time(self, files, timer):
        """Loads the files. A file that does not finish is reported, and the others are served."""
        found = {}
        for path, file in files.items():
            timer.run(path, functools.partial(self._load_file, path, file, found))
        unfinished = timer.unfinished()
        for path, frame in unfinished:
            _block_modules(frame)
            self._report(path, failure.of_slow_load(files[path], timer.each, frame))
        late = {path for path, _ in unfinished}
        for path, file in files.items():
            if path not in late:
                self._register_all(path, file, found.get(path, ()))

    def _load_file(self, path, file, found):
        process = fork.process()
        try:
            found[path] = list(served(self._import(path, file)))
        except LoadTimeout:
            pass
        except BaseException as error:  # sys.exit() in a file ends that file, not the host
            fork.end_other_than(process, error)
            self._report(path, failure.of_load(file, error))
        fork.end_other_than(process)

    def _register_all(self, path, file, targets):
        try:
            for name, target in targets:
                self._register(name, file, target)
        except BaseException as error:
            self._report(path, failure.of_load(file, error))

    def _import(self, path, file):
        name = file[: -len(".py")].replace(os.sep, ".")
        top = name.partition(".")[0]
        owner = _origin(top)
        if not owner.startswith(os.path.join(self._root, "")):
            raise NameTaken(f"the module name {top} belongs to {owner or 'another module'}; rename the file or folder")
        module = importlib.import_module(name)
        if os.path.realpath(module.__file__ or "") != os.path.realpath(path):
            raise NameTaken(f"the module name {name} belongs to {module.__file__}; rename the file")
        return module

    def _register(self, name, file, target):
        if not 0 < len(name.encode()) <= NAME_BYTES:
            raise ValueError(f"the handler name {name[:50]!r}... must have 1 to {NAME_BYTES} bytes")
        first = self.handlers.get(name)
        if first:
            raise DuplicateHandler(f"{name} is defined in {first.file} and again in {file}; the first one is served")
        self.handlers[name] = Handler(name, file, target)

    def _report(self, path, described):
        self.errors.append(described)
        lines = [f"tasker host: cannot load {path}: {described['message']} ({described['class']})"]
        print("\n\t".join(lines + described["backtrace"]), file=sys.stderr)


def _before_installed_packages():
    """Handlers' modules come after the standard library, which must not be shadowed, and before installed packages."""
    for index, folder in enumerate(sys.path):
        if "site-packages" in folder or "dist-packages" in folder:
            return index
    return len(sys.path)


def _origin(module_name):
    """The path at which an import finds the top-level module, without following links."""
    try:
        spec = importlib.util.find_spec(module_name)
    except ValueError:
        return ""
    if spec is None:
        return ""
    place = next(iter(spec.submodule_search_locations or [spec.origin or ""]))
    return os.path.abspath(place) if os.path.isabs(place) else place


def _block_modules(frame):
    """Makes imports of the unfinished modules fail: otherwise they would wait for the modules."""
    while frame is not None:  # the frame is None if the thread was about to end
        if frame.f_code.co_name == "<module>":
            sys.modules[frame.f_globals.get("__name__")] = None
        frame = frame.f_back
