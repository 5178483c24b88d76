"""State that the system keeps for the process: standard descriptors, limits, locale, session, group and user.

Reading it takes longer than a fast step, so it is compared once a second.
"""

import fcntl
import os
import resource

from tasker_host import output
from tasker_host.fds import PRIVATE

try:
    import _locale
except ImportError:  # a Python that was built without it
    _locale = None


_LIMITS = {name: getattr(resource, name) for name in dir(resource) if name.startswith("RLIMIT_")}


class SystemState:
    def __init__(self):
        """Keeps the current state."""
        self._identities = {fd: identity for fd in range(3) if (identity := _identity(fd))}
        self._kept = {fd: fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, PRIVATE) for fd in self._identities}
        self._locale = _current_locale()
        self._limits = {name: resource.getrlimit(limit)[0] for name, limit in _LIMITS.items()}
        self._owner = _owner()

    def restore(self):
        """Restores what can be restored, and returns texts that name what cannot."""
        lasting = []
        if any([self._restore_descriptor(fd) for fd in self._kept]):
            lasting.append("what standard input, output or error lead to")
        output.repair()
        if _current_locale() != self._locale:
            _locale.setlocale(_locale.LC_ALL, self._locale)
        lasting += [name for name, soft in self._limits.items() if not _restore_limit(_LIMITS[name], soft)]
        if _owner() != self._owner:
            lasting.append("the session, group, user or niceness of the process")
        return lasting

    def _restore_descriptor(self, fd):
        """Returns whether the descriptor led to another file, which is closed now."""
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


def _restore_limit(limit, soft):
    now, hard = resource.getrlimit(limit)
    if now == soft:
        return True
    try:
        resource.setrlimit(limit, (soft, hard))
    except (OSError, ValueError):
        return False
    return True


def _owner():
    return os.getsid(0), os.getpgid(0), os.geteuid(), os.getegid(), os.getpriority(os.PRIO_PROCESS, 0)
