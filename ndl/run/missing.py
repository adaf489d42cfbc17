"""What ndl lacks, said so that one can act: which name, in which line of the script, and what to use.

A missing name is an ordinary AttributeError or ImportError, so that ``hasattr(torch, …)`` and ``try: import …`` choose
as their authors meant. Only when nobody caught it is its message rewritten (``explain``), just before it is printed.
"""

from __future__ import annotations

import ast
import linecache
import os
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Any

from ndl.autograd.tensor import Tensor
from ndl.nn.module import Module

__all__ = ["COMPILED", "explain", "hint"]

# Packages whose compiled parts are made for PyTorch's own tensors; an installed one would break half-way.
COMPILED = ("torchvision", "torchaudio", "torchtext", "functorch")

_HINTS = {
    "torchvision": "it is compiled for PyTorch. Read MNIST and CIFAR-10 with ndl.datasets, and define the network in "
    "the script; its published weights can be read with torch.load",
    "torchaudio": "it is compiled for PyTorch. Read the sound with another library and use torch.from_numpy",
    "torchtext": "it is compiled for PyTorch. Read the text in plain Python and use torch.tensor",
    "functorch": "it is compiled for PyTorch. torch.autograd.functional has jacobian, hessian, vjp and jvp",
    "torch.func": "torch.autograd.functional has jacobian, hessian, vjp and jvp",
    "torch.fft": "where no gradient is needed, numpy.fft works on tensor.numpy()",
    "torch.hub": "define the network in the script; published weights can be read with torch.load",
    "torch.distributed": "ndl computes in one process, on the CPU: leave it out",
    "torch.linalg": "where no gradient is needed, numpy.linalg works on tensor.numpy()",
    "torch.nn.parallel": "ndl computes in one process, on the CPU: use the model itself",
    "torch.utils.tensorboard": "keep the numbers in a list, or write them with Python's csv",
    "torch.onnx": "save the state_dict, which PyTorch can read",
    "torch.profiler": "Python's own cProfile sees every line of ndl",
}

_NDL = str(Path(__file__).resolve().parent.parent) + os.sep


def hint(name: str) -> str:
    """What to do without ``name``, with its colon in front; for a name without advice, how to write it oneself."""
    while name and name not in _HINTS:
        name = name.rpartition(".")[0]
    return f": {_HINTS[name]}" if name else ": write it with what is there, or as a torch.autograd.Function"


def explain(error: BaseException) -> None:
    """Rewrite the message of an error that says that a name of PyTorch is missing; leave all others alone."""
    seen: set[int] = set()
    chain: BaseException | None = error
    while chain is not None and id(chain) not in seen:
        seen.add(id(chain))
        place = _asked(chain.__traceback__)
        if place is not None and isinstance(chain, (AttributeError, ImportError)):
            piece = _piece(chain, place)
            if piece:
                file, line = os.path.basename(place.tb_frame.f_code.co_filename), place.tb_lineno
                message = f"{piece} is not in ndl ({file}, line {line}){hint(piece)}"
                chain.args = (message,)
                if isinstance(chain, ImportError):
                    chain.msg = message
                place.tb_next = None  # how ndl looked for it is of no interest
        chain = chain.__cause__ or chain.__context__


def _asked(tb: TracebackType | None) -> TracebackType | None:
    """Where the script asked: the innermost step that is not the asking itself; None if that was inside ndl."""
    steps = []
    while tb is not None:
        steps.append(tb)
        tb = tb.tb_next
    while steps and _only_looks_up(steps[-1]):
        steps.pop()
    return steps[-1] if steps and not steps[-1].tb_frame.f_code.co_filename.startswith(_NDL) else None


def _only_looks_up(step: TracebackType) -> bool:
    code = step.tb_frame.f_code
    ours = code.co_filename.startswith(_NDL) and code.co_name in ("__getattr__", "find_spec")
    return ours or "importlib" in code.co_filename


def _piece(error: AttributeError | ImportError, place: TracebackType) -> str | None:
    """PyTorch's name for what is missing; None if it is something else that is missing."""
    if isinstance(error, AttributeError):
        found = _missing_attribute(error)
        if found is None:
            return None
        owner, name = found
        if isinstance(owner, ModuleType):
            return ".".join([_theirs(owner.__name__), name, *_asked_of_it(place, name)])
        return f"torch.Tensor.{name}" if isinstance(owner, Tensor) else f"{type(owner).__name__}.{name}"
    if isinstance(error, ModuleNotFoundError):
        return error.name if error.name and error.name.partition(".")[0] in ("torch", *COMPILED) else None
    wanted = re.match(r"cannot import name '(\w+)'", error.msg or "")
    if wanted and error.name and error.name.partition(".")[0] == "ndl":
        return f"{_theirs(error.name)}.{wanted[1]}"
    return None


def _missing_attribute(error: AttributeError) -> tuple[Any, str] | None:
    """Of which of ndl's objects which attribute was asked for."""
    owner, name = error.obj, error.name
    if name is None or name.startswith("__"):
        return None
    ours = owner.__name__ if isinstance(owner, ModuleType) else type(owner).__module__
    kind = isinstance(owner, (ModuleType, Tensor, Module))
    return (owner, name) if kind and ours.partition(".")[0] == "ndl" else None


def _theirs(module: str) -> str:
    return "torch" + module.removeprefix("ndl")


def _asked_of_it(place: TracebackType, name: str) -> list[str]:
    """The names that follow the missing one: ['rfft'] where ``torch.fft`` is missing in ``torch.fft.rfft(x).sum()``.

    What is asked of a call's result is not one of them.
    """
    code = place.tb_frame.f_code
    positions = list(code.co_positions())[place.tb_lasti // 2]
    try:
        tree = ast.parse("".join(linecache.getlines(code.co_filename)))
    except SyntaxError:
        return []
    following: list[ast.Attribute] = []
    for node in _chain(tree, positions[0], positions[2]):
        missing = node.attr == name and node.end_col_offset == positions[3]
        if node.value is following[-1] if following else missing:
            following.append(node)
    return [node.attr for node in following[1:]]


def _chain(tree: ast.AST, line: int | None, column: int | None) -> Iterator[ast.Attribute]:
    """The attributes ``a.b``, ``a.b.c``, … that begin at this place, the shortest first."""
    here = [n for n in ast.walk(tree) if isinstance(n, ast.Attribute) and (n.lineno, n.col_offset) == (line, column)]
    yield from sorted(here, key=lambda n: (n.end_lineno or 0, n.end_col_offset or 0))
