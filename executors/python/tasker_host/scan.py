"""Finds handler files."""

import os

SKIPPED = frozenset(["tasker_host", "node_modules", "__pycache__", "vendor", "testdata"])


def files(root):
    """The paths of the *.py files below root, sorted, and (path, reason) of files that are skipped for another reason
    than their name.

    Links to files are followed. A file with several paths is loaded once, by its own path if that is below root. Links
    to folders are not followed. A missing root has no files.
    """
    found, skipped = [], []
    for folder, folders, names in os.walk(root, onerror=lambda error: skipped.append((error.filename, error.strerror))):
        folders[:] = [name for name in folders if not _skip(name)]
        links = [os.path.join(folder, name) for name in folders if os.path.islink(os.path.join(folder, name))]
        skipped += [(link, "it is a link to a folder, and those are not followed") for link in links]
        found += [os.path.join(folder, name) for name in names if name.endswith(".py") and not _skip(name)]
    by_identity = {}
    for path in sorted(found, key=lambda path: (os.path.islink(path), path)):
        reason = _unfit(path)
        first = None if reason else by_identity.setdefault(os.path.realpath(path), path)
        if reason or first != path:
            skipped.append((path, reason or f"it is the same file as {os.path.relpath(first, root)}"))
    return sorted(by_identity.values()), sorted(skipped)


def _unfit(path):
    if os.path.isfile(path):
        return None
    return "it is no file" if os.path.exists(path) else "it is a link that leads nowhere"


def _skip(name):
    return name.startswith((".", "_")) or name in SKIPPED
