"""Other people's programs, under PyTorch and under ndl: the same outputs, losses, gradients, weights and printed lines.

Each program here is written as such programs are, imports torch, and knows nothing of this test. It runs once with
PyTorch and once with ``torch`` meaning ndl, from the same seed; random numbers are equal in both, so weights and data
are, too. A ``Record`` listens to both: to every outermost call of a Module and every ``backward()``.
"""

from __future__ import annotations

import contextlib
import io
import runpy
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import ndl
import ndl.optim
from ndl.run import as_torch
from ndl.verify.parity import relative_error

HERE = Path(__file__).resolve().parent
OPTIONS = {"train_classifier": ["--workers", "0", "--lr", "0.5"], "vae": ["--epochs", "2"]}
HELPERS = ("classifier_net",)
PROGRAMS = sorted(p.stem for p in HERE.glob("*.py") if p.stem not in HELPERS and not p.stem.startswith("test_"))


class Record:
    """What happened in one run, in its order: (what it was, its values)."""

    def __init__(self, T: Any) -> None:
        self.T = T
        self.found: list[tuple[str, np.ndarray | None]] = []
        self.optimizers: list[Any] = []
        self.modules: list[Any] = []
        self.depth = 0

    def add(self, what: str, value: Any) -> None:
        if isinstance(value, self.T.Tensor):
            self.found.append((what, np.array(value.detach().numpy())))
        elif value is None:
            self.found.append((what, None))
        elif isinstance(value, (tuple, list)):
            for i, part in enumerate(value):
                self.add(f"{what}[{i}]", part)

    def gradients(self) -> None:
        for o, optimizer in enumerate(self.optimizers):
            for g, group in enumerate(optimizer.param_groups):
                for i, p in enumerate(group["params"]):
                    self.add(f"optimizer {o}, group {g}, gradient {i}", p.grad)

    def end(self, names: dict[str, Any]) -> None:
        for m, module in enumerate(self.modules):
            for name, p in module.named_parameters():
                self.add(f"module {m}: {name}", p)
                self.add(f"module {m}: gradient of {name}", p.grad)
            for name, b in module.named_buffers():
                self.add(f"module {m}: buffer {name}", b)
        for name, value in sorted(names.items()):
            self.add(f"global {name}", value)
            if isinstance(value, self.T.Tensor) and value.is_leaf:
                self.add(f"gradient of global {name}", value.grad)


@contextlib.contextmanager
def listening(T: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Record]:
    record = Record(T)
    call, backward, start = T.nn.Module.__call__, T.Tensor.backward, T.optim.Optimizer.__init__

    def recorded_call(self: Any, *args: Any, **kwargs: Any) -> Any:
        record.depth += 1
        try:
            y = call(self, *args, **kwargs)
        finally:
            record.depth -= 1
        if record.depth == 0:
            if not any(m is self for m in record.modules):
                record.modules.append(self)
            record.add(f"output of {type(self).__name__}", y)
        return y

    def recorded_backward(self: Any, *args: Any, **kwargs: Any) -> None:
        record.add("loss", self)
        backward(self, *args, **kwargs)
        record.gradients()

    def recorded_start(self: Any, *args: Any, **kwargs: Any) -> None:
        start(self, *args, **kwargs)
        record.optimizers.append(self)

    with monkeypatch.context() as patch:
        patch.setattr(T.nn.Module, "__call__", recorded_call)
        patch.setattr(T.Tensor, "backward", recorded_backward)
        patch.setattr(T.optim.Optimizer, "__init__", recorded_start)
        yield record


def run(T: Any, program: str, dtype: str, monkeypatch: pytest.MonkeyPatch) -> tuple[Record, str]:
    """Run a program as a script in library ``T``, with that default type; its record and what it printed."""
    printed = io.StringIO()
    T.set_default_dtype(getattr(T, dtype))
    try:
        with contextlib.ExitStack() as stack:
            if T is ndl:
                stack.enter_context(as_torch())
            patch = stack.enter_context(monkeypatch.context())
            patch.setattr(sys, "argv", [f"{program}.py", *OPTIONS.get(program, [])])
            patch.syspath_prepend(str(HERE))
            record = stack.enter_context(listening(T, monkeypatch))
            stack.enter_context(contextlib.redirect_stdout(printed))
            record.end(runpy.run_path(str(HERE / f"{program}.py"), run_name="__main__"))
    finally:
        T.set_default_dtype(T.float32)
        for name in HELPERS:
            sys.modules.pop(name, None)
    return record, printed.getvalue()


# The last two columns: the tolerance for outputs, losses and gradients, and that for the trained weights. Adam's first
# steps have the size of the learning rate whatever the gradient's size, so float32's noise becomes visible in weights
# whose true gradient is 0, such as a bias of attention keys.
@pytest.mark.filterwarnings("ignore::UserWarning")  # PyTorch's opinions on how these programs are written
@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize(("dtype", "tolerance", "of_weights"), [("float64", 1e-10, 1e-10), ("float32", 1e-4, 1e-2)])
def test_program(
    program: str, dtype: str, tolerance: float, of_weights: float, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for T in (torch, ndl):
        (tmp_path / T.__name__).mkdir()
    monkeypatch.chdir(tmp_path / "torch")
    theirs, they_printed = run(torch, program, dtype, monkeypatch)
    monkeypatch.chdir(tmp_path / "ndl")
    ours, we_printed = run(ndl, program, dtype, monkeypatch)
    assert [what for what, _ in ours.found] == [what for what, _ in theirs.found]
    assert sum("gradient" in what and value is not None for what, value in theirs.found) > 5
    wrong = []
    for (what, a), (_, b) in zip(ours.found, theirs.found):
        if a is None or b is None:
            wrong += [f"{what}: ndl {a}, torch {b}"] if a is not b else []
        elif a.dtype != b.dtype:
            wrong.append(f"{what}: ndl {a.dtype}, torch {b.dtype}")
        elif not relative_error(a, b) <= (of_weights if what.startswith(("module", "global")) else tolerance):
            wrong.append(f"{what}: relative error {relative_error(a, b):.1e}")
    assert not wrong, f"{len(wrong)} of {len(ours.found)} differ:\n" + "\n".join(wrong[:20])
    if dtype == "float64":
        assert we_printed == they_printed
