"""Finds handler files."""

import os

SKIPPED = frozenset(["tasker_host", "node_modules", "__pycache__", "vendor", "testdata"])


def files(root):
    """The paths of the *.py files below root, sorted.

    Links to folders are not followed; a missing root has no files.
    """
    found = []
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if not _skip(name)]
        found += [os.path.join(folder, name) for name in names if name.endswith(".py") and not _skip(name)]
    return sorted(found)


def _skip(name):
    return name.startswith((".", "_")) or name in SKIPPED
