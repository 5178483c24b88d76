"""Makes the modules of the host importable as `tasker_host.*`, and nothing of them by a name that handlers could use.
"""

import os
import sys
import types

FOLDER = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))

if "tasker_host" not in sys.modules:
    _package = types.ModuleType("tasker_host")
    _package.__path__ = [FOLDER]
    sys.modules["tasker_host"] = _package
