"""Names under which older programs, and programs for several devices, ask for what is here anyway."""

from __future__ import annotations

import importlib
import pickle
import warnings
from typing import Any

import numpy as np
import pytest
import torch

import ndl
import ndl.special
from tests.both import same

BOTH = pytest.mark.parametrize("T", [ndl, torch], ids=["ndl", "torch"])


@BOTH
def test_random_numbers_by_their_own_name(T: Any) -> None:
    random = importlib.import_module(f"{T.__name__}.random")
    random.manual_seed(3)
    with T.random.fork_rng():
        inside = T.rand(3)
        T.manual_seed(7)
    with T.random.fork_rng(enabled=False):
        assert T.equal(T.rand(3), inside)
    assert not T.equal(T.rand(3), inside) and random.initial_seed() == 3


SPECIAL: dict[str, Any] = {
    "log_softmax": lambda f, x: f(x, 0),
    "logsumexp": lambda f, x: f(x, 0),
    "polygamma": lambda f, x: f(0, x),
    "softmax": lambda f, x: f(x, 0),
    "xlogy": lambda f, x: f(x, x),
}


@pytest.mark.parametrize("name", ndl.special.__all__)
def test_special_functions_by_their_own_name(name: str) -> None:
    call = SPECIAL.get(name, lambda f, x: f(x))
    same(lambda T, x: call(getattr(T.special, name), x), np.array([0.3, 0.6, 0.9]))


@BOTH
def test_rooms_are_no_names_of_the_library(T: Any) -> None:
    for name in ("arithmetic", "elementwise", "table", "shape", "sorting"):
        assert not hasattr(T, name)
    assert T.return_types.max is type(T.ones(2).max(0))


@BOTH
def test_several_devices_that_are_not_there(T: Any) -> None:
    assert T.cuda.memory_allocated() == T.cuda.max_memory_reserved() == 0 and not T.cuda.is_initialized()
    assert T.cuda.get_rng_state_all() == [] and T.cuda.set_rng_state_all([]) is None
    assert str(T.get_default_device()) == "cpu" and not T.is_autocast_enabled()
    assert T.GradScaler is T.amp.GradScaler


@BOTH
@pytest.mark.filterwarnings("ignore::FutureWarning")  # PyTorch's, about torch.cuda.amp
def test_functions_written_for_mixed_precision(T: Any) -> None:
    for decorate, decorate_back in (
        (T.amp.custom_fwd(device_type="cuda"), T.amp.custom_bwd(device_type="cuda")),
        (T.cuda.amp.custom_fwd, T.cuda.amp.custom_bwd),
        (T.cuda.amp.custom_fwd(cast_inputs=T.float32), T.cuda.amp.custom_bwd),
    ):

        class Square(T.autograd.Function):  # type: ignore[name-defined, misc]
            @staticmethod
            @decorate
            def forward(ctx: Any, x: Any) -> Any:
                ctx.save_for_backward(x)
                return x * x

            @staticmethod
            @decorate_back
            def backward(ctx: Any, dy: Any) -> Any:
                return 2 * ctx.saved_tensors[0] * dy

        x = T.full((2,), 3.0, requires_grad=True)
        Square.apply(x).sum().backward()
        assert x.grad.tolist() == [6, 6]


@BOTH
def test_older_ways_to_ask_for_gradients(T: Any) -> None:
    x = T.ones(2, requires_grad=True)
    (dx,) = T.autograd.grad((x * x).sum(), x, only_inputs=True, create_graph=True)
    assert dx.tolist() == [2, 2] and dx.requires_grad
    with pytest.warns(FutureWarning, match="only_inputs"):
        T.autograd.grad((x * x).sum(), x, None, None, False, False)
    with pytest.warns(FutureWarning, match="grad_variables"):
        T.autograd.backward([x * x], grad_variables=[T.ones(2)])
    assert x.grad.tolist() == [2, 2]
    with pytest.warns(FutureWarning), pytest.raises(RuntimeError, match="grad_variables"):
        T.autograd.backward([x * x], [T.ones(2)], grad_variables=[T.ones(2)])


@BOTH
def test_functions_as_they_were_called_once(T: Any) -> None:
    class Old(T.autograd.Function):  # type: ignore[name-defined, misc]
        def forward(self, x: Any) -> Any:
            return x

    with warnings.catch_warnings(), pytest.raises(RuntimeError, match="Legacy autograd function"):
        warnings.simplefilter("ignore", DeprecationWarning)
        Old()(T.ones(2))


@BOTH
def test_marks_for_a_compiler(T: Any) -> None:
    def f() -> int:
        return 1

    assert T.jit.ignore(f) is f and T.jit.ignore()(f) is f and T.jit.unused(f) is f and T.jit.export(f) is f


@BOTH
def test_saving_with_options_of_pickle(T: Any, tmp_path: Any) -> None:
    T.save({"x": T.ones(2)}, tmp_path / "x.pt", pickle_module=pickle, pickle_protocol=2)
    assert T.load(tmp_path / "x.pt", "cpu", encoding="latin1")["x"].tolist() == [1, 1]
    T.save(T.ones(1), tmp_path / "x.pt", _use_new_zipfile_serialization=True)


def test_gradient_checkpointing_changes_no_number() -> None:
    def program(T: Any, x: Any, W: Any) -> Any:
        checkpoint = importlib.import_module(f"{T.__name__}.utils.checkpoint")
        T.manual_seed(0)
        y = checkpoint.checkpoint(lambda x: T.nn.functional.dropout(x @ W, 0.3).tanh(), x, use_reentrant=False)
        return checkpoint.checkpoint_sequential([T.sin, T.exp, T.nn.Tanh()], 2, y, use_reentrant=False)

    rng = np.random.default_rng(0)
    same(program, rng.standard_normal((4, 3)), rng.standard_normal((3, 5)))
