"""What the system keeps for the process: the standard descriptors, and the locale of C code. To ask for it takes longer than
many a step, so it is looked after now and then.
"""

import fcntl
import os

from tasker_host import streams
from tasker_host.fds import PRIVATE

try:
    import _locale
except ImportError:  # a Python that was built without
    _locale = None


class SystemSettings:
    def __init__(self):
        """Takes what is there now for what shall stay."""
        self._identities = {fd: identity for fd in range(3) if (identity := _identity(fd))}
        self._kept = {fd: fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, PRIVATE) for fd in self._identities}
        self._locale = _current_locale()

    def restore(self):
        """Puts them back. Returns whether a descriptor was used for something else, which is lost now."""
        reused = [self._restore_descriptor(fd) for fd in self._kept]
        streams.repair()
        if _current_locale() != self._locale:
            _locale.setlocale(_locale.LC_ALL, self._locale)
        return any(reused)

    def _restore_descriptor(self, fd):
        found = _identity(fd)
        if found == self._identities[fd]:
            return False
        os.dup2(self._kept[fd], fd)
        return found is not None


def _identity(fd):
    try:
        found = os.fstat(fd)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _current_locale():
    return _locale.setlocale(_locale.LC_ALL) if _locale else None
