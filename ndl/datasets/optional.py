"""Libraries that only some datasets need, imported at the moment of use so that `import ndl` stays light."""

from __future__ import annotations

import importlib
from types import ModuleType


def optional(module: str, purpose: str) -> ModuleType:
    """Import `module`, or say which extra of this package brings it.

    Raises:
        ImportError: it is not installed. The message has the command that installs it.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        library = module.partition(".")[0]
        name = {"sklearn": "scikit-learn"}.get(library, library)
        raise ImportError(f"{purpose} needs {name}, which cannot be imported. Run: pip install 'ndl[train]'") from error
