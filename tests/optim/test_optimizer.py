"""Parameter groups, gradients, hooks, closures and errors: what all optimisers share."""

from __future__ import annotations

import copy
import importlib
import pickle
import tracemalloc
import warnings
from typing import Any

import numpy as np
import pytest
import torch

import ndl
import ndl.nn
from ndl.optim import SGD, Adam, Optimizer
from tests.optim.pair import Pair

BOTH = pytest.mark.parametrize("T", [ndl, torch], ids=["ndl", "torch"])


def test_groups_with_their_own_options() -> None:
    def make(T: Any, params: list) -> Any:
        groups = [{"params": params[:1]}, {"params": params[1:3], "lr": 0.5, "momentum": 0.1}]
        optimizer = T.optim.SGD(groups, lr=0.01, momentum=0.9)
        optimizer.add_param_group({"params": params[3], "weight_decay": 0.3})
        return optimizer

    pair = Pair([(2, 3), (3,), (), (4, 1)], make)
    pair.step(20)
    assert pair.error() <= 1e-12
    assert [g["lr"] for g in pair.ours.param_groups] == [0.01, 0.5, 0.01]
    assert [list(g) for g in pair.ours.param_groups] == [list(g) for g in pair.theirs.param_groups]


def test_repr_is_pytorchs() -> None:
    pair = Pair([(2,), (3,)], lambda T, p: T.optim.Adam([{"params": p[:1], "lr": 1}, {"params": p[1:]}], lr=0.5))
    assert repr(pair.ours) == repr(pair.theirs)


def test_named_parameters() -> None:
    def make(T: Any, params: list) -> Any:
        return T.optim.SGD([(f"layer.{i}", p) for i, p in enumerate(params)], lr=0.1)

    pair = Pair([(2,), (3,)], make)
    pair.step(3)
    assert pair.error() <= 1e-15
    assert pair.ours.state_dict() == pair.theirs.state_dict()
    assert pair.ours.state_dict()["param_groups"][0]["param_names"] == ["layer.0", "layer.1"]


@BOTH
@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        (lambda T: [], ValueError, "optimizer got an empty parameter list"),
        (
            lambda T: T.ones(2, requires_grad=True),
            TypeError,
            "params argument given to the optimizer should be an iter",
        ),
        (lambda T: [T.ones(2, requires_grad=True) * 2], ValueError, "can't optimize a non-leaf Tensor"),
        (lambda T: [3.0], TypeError, "optimizer can only optimize Tensors, but one of the params is"),
        (lambda T: [{"params": {T.ones(2), T.ones(3)}}], TypeError, "need to be organized in ordered collections"),
        (lambda T: [{"params": [T.ones(2)]}, 3], TypeError, "param_group must be a dict"),
        (lambda T: [("a", T.ones(2)), T.ones(3)], ValueError, "Some param names are missing"),
        (lambda T: [{"params": [("a", T.ones(2))]}, {"params": [T.ones(3)]}], ValueError, "with/without names"),
    ],
)
def test_refused_parameters(T: Any, params: Any, error: type, message: str) -> None:
    with pytest.raises(error, match=message):
        T.optim.SGD(params(T), lr=0.1)


@BOTH
def test_a_parameter_twice(T: Any) -> None:
    p = T.ones(2, requires_grad=True)
    with pytest.raises(ValueError, match="some parameters appear in more than one parameter group"):
        T.optim.SGD([{"params": [p]}, {"params": [p]}], lr=0.1)
    with pytest.warns(UserWarning, match="duplicate parameters"):
        optimizer = T.optim.SGD([p, p], lr=0.1)
    p.grad = T.ones(2)
    optimizer.step()
    assert p.tolist() == pytest.approx([0.8, 0.8])


def test_a_refused_group_is_not_added() -> None:
    p = ndl.ones(2, requires_grad=True)
    optimizer = SGD([p], lr=0.1)
    with pytest.raises(ValueError, match="non-leaf"):
        optimizer.add_param_group({"params": [p * 2]})
    with pytest.raises(ValueError, match="more than one"):
        optimizer.add_param_group({"params": [p]})
    assert len(optimizer.param_groups) == 1


@BOTH
def test_a_required_option(T: Any) -> None:
    required = importlib.import_module(f"{T.__name__}.optim.optimizer").required

    class Rule(T.optim.Optimizer):
        pass

    with pytest.raises(ValueError, match="didn't specify a value of required optimization parameter lr"):
        Rule([T.ones(2)], {"lr": required})
    assert Rule([{"params": [T.ones(2)], "lr": 3}], {"lr": required}).param_groups[0]["lr"] == 3


@BOTH
def test_zero_grad(T: Any) -> None:
    p, q, r = [T.ones(2, requires_grad=True) for _ in range(3)]
    optimizer = T.optim.SGD([p, q, r], lr=0.1)
    p.grad = g = T.ones(2)
    (q * q).sum().backward(create_graph=True)
    assert q.grad.requires_grad
    optimizer.zero_grad(set_to_none=False)
    assert p.grad is g and g.tolist() == [0, 0]
    assert q.grad.tolist() == [0, 0] and not q.grad.requires_grad
    assert r.grad is None
    optimizer.zero_grad()
    assert p.grad is None and q.grad is None


@BOTH
def test_closure(T: Any) -> None:
    """Rosenbrock's valley: the closure records, even under no_grad, and its loss is returned."""
    p = T.tensor([-1.5, 2.0], dtype=T.float64, requires_grad=True)
    optimizer = T.optim.Adam([p], lr=0.1)

    def closure() -> Any:
        optimizer.zero_grad()
        loss = (1 - p[0]) ** 2 + 100 * (p[1] - p[0] ** 2) ** 2
        loss.backward()
        return loss

    with T.no_grad():
        losses = [optimizer.step(closure).item() for _ in range(300)]
    assert losses[0] == 6.25 + 100 * 0.25**2
    assert losses[-1] < 0.3
    assert optimizer.step() is None


@BOTH
def test_the_write_is_seen_by_a_graph_that_kept_the_old_values(T: Any) -> None:
    p = T.ones(3, requires_grad=True)
    for optimizer in (T.optim.SGD([p], lr=0.1), T.optim.Adam([p])):
        loss = (p * p).sum()
        loss.backward(retain_graph=True)
        optimizer.step()
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            loss.backward()


@BOTH
def test_a_step_is_not_recorded(T: Any) -> None:
    p = T.ones(3, requires_grad=True)
    (p * p).sum().backward(create_graph=True)
    T.optim.SGD([p], lr=0.1, momentum=0.9).step()
    assert p.is_leaf and p.requires_grad and p.grad_fn is None


@BOTH
def test_memory_that_must_not_be_written(T: Any) -> None:
    p = T.ones(1).expand(3).requires_grad_()
    p.grad = T.ones(3)
    with pytest.raises(RuntimeError):
        T.optim.SGD([p], lr=0.1).step()


def test_parameters_of_any_memory_order() -> None:
    """Transposed, strided and reversed-axes parameters, with gradients in the same and in another order."""
    rng = np.random.default_rng(0)
    base = rng.standard_normal((120, 70, 2))
    views = [base, base.transpose(2, 0, 1), base[::2], base[:, :, 0], base.transpose(1, 0, 2)[3:]]
    for view in views:
        for g in (rng.standard_normal(view.shape), np.asfortranarray(rng.standard_normal(view.shape))):
            for rule in ({"momentum": 0.9, "nesterov": True}, {"weight_decay": 0.1, "maximize": True}):
                p, q = ndl.from_numpy(np.array(view, order="K")).requires_grad_(), torch.tensor(view).requires_grad_()
                p.grad, q.grad = ndl.from_numpy(g), torch.from_numpy(np.ascontiguousarray(g))
                ours, theirs = SGD([p], lr=0.1, **rule), torch.optim.SGD([q], lr=0.1, **rule)
                for optimizer in (ours, theirs, ours, theirs):
                    optimizer.step()
                assert np.allclose(p.detach().numpy(), q.detach().numpy(), rtol=1e-14, atol=1e-14)


def test_a_strided_view_is_written_in_its_own_memory() -> None:
    base = np.ones((600, 60))
    p = ndl.from_numpy(base).detach()[:, ::3].requires_grad_()
    p.grad = ndl.ones(600, 20, dtype=ndl.float64)
    Adam([p], lr=0.5).step()
    assert np.all(np.abs(base[:, ::3] - 0.5) < 1e-6)
    assert np.all(base[:, 1::3] == 1) and np.all(base[:, 2::3] == 1)


@pytest.mark.parametrize("rule", [SGD, Adam])
def test_a_step_makes_nothing_of_the_parameters_size(rule: Any) -> None:
    p = ndl.nn.Parameter(ndl.ones(4_000_000))
    p.grad = ndl.ones(4_000_000)
    optimizer = rule([p], lr=0.1, weight_decay=0.1, maximize=True)
    optimizer.step()  # makes the state, and the scratch arrays of each thread
    tracemalloc.start()
    optimizer.step()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < p.nbytes / 4


@BOTH
def test_hooks_around_step(T: Any) -> None:
    p = T.ones(2, requires_grad=True)
    p.grad = T.ones(2)
    optimizer = T.optim.SGD([p], lr=0.1)
    seen = []

    def before(o: Any, args: tuple, kwargs: dict) -> Any:
        seen.append(("before", p[0].item(), len(args)))
        return args, {"closure": lambda: 7.0}

    first = optimizer.register_step_pre_hook(before)
    optimizer.register_step_post_hook(lambda o, args, kwargs: seen.append(("after", o is optimizer, list(kwargs))))
    assert optimizer.step() == 7.0
    assert seen == [("before", 1.0, 1), ("after", True, ["closure"])]
    first.remove()
    assert optimizer.step() is None
    assert len(seen) == 3
    optimizer.register_step_pre_hook(lambda *_: 3)
    with pytest.raises(RuntimeError, match="must return None or a tuple"):
        optimizer.step()


def test_hooks_run_once_when_step_calls_its_parents_step() -> None:
    class Loud(SGD):
        def step(self, closure: Any = None) -> Any:
            return super().step(closure)

    p = ndl.ones(2, requires_grad=True)
    p.grad = ndl.ones(2)
    optimizer = Loud([p], lr=0.1)
    calls: list = []
    optimizer.register_step_post_hook(lambda *_: calls.append(1))
    optimizer.step()
    assert calls == [1]


@BOTH
def test_an_optimiser_of_ones_own(T: Any) -> None:
    class SignDescent(T.optim.Optimizer):
        def __init__(self, params: Any, lr: float) -> None:
            super().__init__(params, {"lr": lr})

        @T.no_grad()
        def step(self, closure: Any = None) -> None:
            for group in self.param_groups:
                for p in group["params"]:
                    if p.grad is not None:
                        self.state[p]["count"] = self.state[p].get("count", 0) + 1
                        p.add_(p.grad.sign(), alpha=-group["lr"])

    p = T.zeros(2, requires_grad=True)
    optimizer = SignDescent([p], 0.25)
    calls: list = []
    optimizer.register_step_post_hook(lambda *_: calls.append(1))
    p.grad = T.tensor([3.0, -0.1])
    optimizer.step()
    assert p.tolist() == [-0.25, 0.25]
    assert calls == [1]
    assert optimizer.state_dict()["state"] == {0: {"count": 1}}


def test_the_base_class_has_no_step() -> None:
    with pytest.raises(NotImplementedError, match="does not define step"):
        Optimizer([ndl.ones(2)], {}).step()


def test_pickle_and_deepcopy_continue_bit_for_bit() -> None:
    def weights_after(optimizer: Any) -> list:
        for step in range(3):
            for group in optimizer.param_groups:
                for p in group["params"]:
                    p.grad = ndl.from_numpy(np.full(p.shape, 0.3 * step, np.float32))
            optimizer.step()
        return [p.tolist() for group in optimizer.param_groups for p in group["params"]]

    optimizer = Adam([ndl.nn.Parameter(ndl.ones(3)), ndl.nn.Parameter(ndl.zeros(2, 2))], lr=0.1)
    weights_after(optimizer)
    twins = [copy.deepcopy(optimizer), pickle.loads(pickle.dumps(optimizer))]
    expected = weights_after(optimizer)
    for twin in twins:
        assert twin.param_groups[0]["params"][0] is not optimizer.param_groups[0]["params"][0]
        assert weights_after(twin) == expected


def test_no_warning_in_ordinary_use() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pair = Pair([(3,)], lambda T, params: T.optim.SGD(params, lr=0.1))
        pair.ours.step()  # no gradient anywhere: nothing happens
    assert pair.error() == 0
