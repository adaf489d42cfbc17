"""``python -m ndl.run script.py``: runs a script as ``python script.py`` would, with ``torch`` meaning ``ndl``.

The script finds what it expects: its options in ``sys.argv``, its folder first on ``sys.path``, ``__name__`` equal to
``"__main__"``, its exit code, and a traceback that begins with its own lines.
"""

from __future__ import annotations

import builtins
import importlib.machinery
import importlib.util
import os
import sys
import threading
from collections.abc import Sequence
from importlib.abc import InspectLoader
from pathlib import Path
from types import CodeType, ModuleType, TracebackType
from typing import Any

from ndl.run import spawned
from ndl.run.aliases import install
from ndl.run.missing import explain

__all__ = ["load", "main"]

USAGE = """\
usage: python -m ndl.run script.py [its options]
       python -m ndl.run -m module [its options]

Runs a PyTorch script with `torch` meaning `ndl`: in this process alone, without touching the file."""

_HERE = str(Path(__file__).resolve().parent) + os.sep


def main(argv: Sequence[str] | None = None) -> int:
    """Run the script that ``argv`` names (by default, that of the command line); its exit code.

    It changes the process for good (``torch``, ``sys.argv``, ``sys.path``, ``__main__``), as starting Python does. What
    runs a script inside a larger program is ``with as_torch():`` and ``runpy``.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    if not arguments or arguments[0] in ("-h", "--help"):
        print(USAGE)
        return 0 if arguments else 2
    as_module = arguments[0] == "-m"
    if as_module:
        del arguments[0]
    if not arguments or (arguments[0].startswith("-") and not as_module):
        print(f"{USAGE}\n\nGive the script's file, or -m and its module.", file=sys.stderr)
        return 2
    target = arguments[0]
    if not as_module and not os.path.isfile(target):
        print(f"can't open file {os.path.abspath(target)!r}: no such file", file=sys.stderr)
        return 2
    _set_path("" if as_module else os.path.dirname(os.path.realpath(target)))
    sys.argv[:] = arguments
    install()
    spawned.follow(as_module, target if as_module else os.path.abspath(target))
    _explain_in_threads()
    return _run(as_module, target)


def _run(as_module: bool, target: str) -> int:
    try:
        code, names = load(as_module, target)
        if as_module:
            sys.argv[0] = names["__file__"]
        module = ModuleType("__main__")
        module.__dict__.update(names, __builtins__=builtins)
        sys.modules["__main__"] = module
        exec(code, module.__dict__)
    except (Exception, KeyboardInterrupt) as error:
        explain(error)
        error.__traceback__ = _from_the_script_on(error.__traceback__)
        sys.excepthook(type(error), error, error.__traceback__)
        return 130 if isinstance(error, KeyboardInterrupt) else 1  # 128 + SIGINT, as a shell reports it
    return 0


def load(as_module: bool, target: str) -> tuple[CodeType, dict[str, Any]]:
    """The code of a script, and the names that it finds in its namespace."""
    if as_module:
        spec = importlib.util.find_spec(target)
        if spec is not None and spec.submodule_search_locations is not None:
            spec = importlib.util.find_spec(f"{target}.__main__")
        code = spec.loader.get_code(spec.name) if spec and isinstance(spec.loader, InspectLoader) else None
        if spec is None or code is None:
            raise ImportError(f"no module {target!r} that could be run", name=target)
        return code, {
            "__file__": spec.origin,
            "__package__": spec.parent,
            "__loader__": spec.loader,
            "__spec__": spec,
            "__cached__": spec.cached,
        }
    path = os.path.abspath(target)
    code = compile(Path(path).read_bytes(), path, "exec", dont_inherit=True)
    loader = importlib.machinery.SourceFileLoader("__main__", path)
    return code, {"__file__": path, "__package__": None, "__loader__": loader, "__spec__": None, "__cached__": None}


def _set_path(folder: str) -> None:
    """The script's folder first, where Python put its own; and ndl's last, should only that one have held it."""
    house = str(Path(__file__).resolve().parents[2])
    if not sys.flags.safe_path:
        sys.path[0] = folder or os.getcwd()
    if house not in sys.path:
        sys.path.append(house)


def _from_the_script_on(tb: TracebackType | None) -> TracebackType | None:
    """The traceback without the steps that started the script and those that looked a name up in the import hook."""
    if tb is None:
        return None
    rest = _from_the_script_on(tb.tb_next)
    file = tb.tb_frame.f_code.co_filename
    if file.startswith(_HERE):
        return rest
    tb.tb_next = rest
    return tb


def _explain_in_threads() -> None:
    before = threading.excepthook

    def explained(args: Any) -> None:
        if args.exc_value is not None:
            explain(args.exc_value)
        before(args)

    threading.excepthook = explained
