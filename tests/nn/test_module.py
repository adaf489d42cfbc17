"""``Module``: the same programs in both libraries give the same names, numbers, texts and errors."""

from __future__ import annotations

import copy
import operator
import pickle
from collections import OrderedDict
from typing import Any

import numpy as np
import pytest
import torch

import ndl

LIBRARIES = pytest.mark.parametrize("T", [ndl, torch], ids=["ndl", "torch"])


def network(T: Any) -> Any:
    """A module with everything in it: nested, shared and missing parameters, buffers, lists and dictionaries."""

    class Block(T.nn.Module):
        def __init__(self, n: int) -> None:
            super().__init__()
            self.linear = T.nn.Linear(n, n)
            self.scale = T.nn.Parameter(T.ones(n))
            self.register_parameter("none", None)
            self.register_buffer("count", T.zeros(1, dtype=T.int64))
            self.register_buffer("scratch", T.ones(2), persistent=False)

        def forward(self, x: Any) -> Any:
            return self.linear(x) * self.scale

    class Net(T.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first = Block(3)
            self.rest = T.nn.ModuleList([Block(3), T.nn.ReLU()])
            self.named = T.nn.ModuleDict({"a": T.nn.Tanh(), "b": T.nn.Linear(3, 2, bias=False)})
            self.free = T.nn.ParameterList([T.nn.Parameter(T.zeros(2)), T.nn.Parameter(T.zeros(1))])
            self.seq = T.nn.Sequential(OrderedDict([("one", T.nn.Linear(2, 2)), ("two", T.nn.Sigmoid())]))
            self.tied = self.seq.one
            self.plain = 3

        def forward(self, x: Any) -> Any:
            x = self.first(x)
            for m in self.rest:
                x = m(x)
            return self.tied(self.seq(self.named["b"](self.named["a"](x)) + self.free[0])) * self.free[1]

    return Net()


def test_names_and_order() -> None:
    ours, theirs = network(ndl), network(torch)
    for method in ("named_parameters", "named_buffers", "named_modules", "named_children"):
        assert [n for n, _ in getattr(ours, method)()] == [n for n, _ in getattr(theirs, method)()]
        if method != "named_children":
            a = [n for n, _ in getattr(ours, method)(remove_duplicate=False)]
            assert a == [n for n, _ in getattr(theirs, method)(remove_duplicate=False)]
    assert list(ours.state_dict()) == list(theirs.state_dict())
    assert "first.scratch" not in ours.state_dict() and "tied.weight" in ours.state_dict()
    assert [n for n, _ in ours.named_parameters(prefix="p", recurse=False)] == []


def test_repr() -> None:
    assert repr(network(ndl)) == repr(network(torch)).replace("torch.", "ndl.")
    for make in (
        lambda T: T.nn.Sequential(*[T.nn.Linear(2, 2) for _ in range(3)]),
        lambda T: T.nn.ModuleList([T.nn.Linear(2, 2), T.nn.Linear(2, 2), T.nn.ReLU(inplace=True)]),
        lambda T: T.nn.Sequential(T.nn.Dropout(0.2), T.nn.Flatten(), T.nn.Softmax(dim=1), T.nn.CrossEntropyLoss()),
        lambda T: T.nn.Sequential(T.nn.ParameterList([T.zeros(2, 3)])),
        lambda T: T.nn.Sequential(T.nn.Conv2d(3, 8, 3, padding=1, bias=False), T.nn.BatchNorm2d(8)),
        lambda T: T.nn.ConvTranspose2d(2, 4, 3, stride=2, output_padding=1, groups=2, dilation=(2, 1)),
        lambda T: T.nn.Conv1d(2, 4, 3, padding="same", padding_mode="circular"),
        lambda T: T.nn.Sequential(),
        lambda T: T.nn.ModuleList(),
        lambda T: T.nn.Unflatten(1, (2, 3)),
    ):
        assert repr(make(ndl)) == repr(make(torch)).replace("torch.", "ndl.")


def test_the_same_seed_gives_the_same_network() -> None:
    values = []
    for T in (ndl, torch):
        T.manual_seed(3)
        values.append([p.detach().numpy() for p in network(T).parameters()])
    for a, b in zip(*values, strict=True):
        np.testing.assert_array_equal(a, b)


def test_state_dict_round_trip_and_tied_weights() -> None:
    ndl.manual_seed(0)
    a, b = network(ndl), network(ndl)
    assert str(b.load_state_dict(a.state_dict())) == "<All keys matched successfully>"
    x = ndl.randn(4, 3)
    np.testing.assert_array_equal(a(x).detach().numpy(), b(x).detach().numpy())
    assert b.tied.weight is b.seq.one.weight
    a.state_dict()["first.scale"].zero_()
    assert (a.first.scale == 0).all(), "a state_dict shares the module's memory"


@LIBRARIES
def test_load_state_dict_refuses(T: Any) -> None:
    net = network(T)
    before = {k: v.clone() for k, v in net.state_dict().items()}
    state = {k: v + 1 for k, v in before.items()}
    bad = dict(state)
    bad["extra"] = T.zeros(1)
    with pytest.raises(RuntimeError, match=r'Unexpected key\(s\) in state_dict: "extra"'):
        net.load_state_dict(bad)
    del bad["extra"], bad["first.scale"]
    with pytest.raises(RuntimeError, match=r'Missing key\(s\) in state_dict: "first.scale"'):
        net.load_state_dict(bad)
    keys = net.load_state_dict(before, strict=False)
    assert keys.missing_keys == [] and keys.unexpected_keys == []
    bad = dict(state)
    bad["seq.one.weight"] = T.zeros(3, 2)
    with pytest.raises(RuntimeError, match=r"size mismatch for seq.one.weight"):
        net.load_state_dict(bad, strict=False)
    with pytest.raises(TypeError, match="dict-like"):
        net.load_state_dict(3)


def test_a_refused_state_changes_nothing() -> None:
    net = network(ndl)
    before = {k: v.clone() for k, v in net.state_dict().items()}
    bad = {k: v + 1 for k, v in before.items()}
    bad["seq.two.weight"] = ndl.zeros(1)
    with pytest.raises(RuntimeError):
        net.load_state_dict(bad)
    for k, v in net.state_dict().items():
        np.testing.assert_array_equal(v.numpy(), before[k].numpy())


@LIBRARIES
def test_attributes(T: Any) -> None:
    net = network(T)
    with pytest.raises(TypeError, match="cannot assign"):
        net.first.scale = T.zeros(3)
    net.first.scale = None
    assert "first.scale" not in dict(net.named_parameters())
    net.first.scale = T.nn.Parameter(T.zeros(3))
    assert "first.scale" in dict(net.named_parameters())
    net.first.count = T.ones(1, dtype=T.int64)
    assert dict(net.named_buffers())["first.count"].item() == 1
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = net.nothing
    del net.plain
    assert not hasattr(net, "plain")
    del net.first.linear
    assert not hasattr(net.first, "linear")
    net.first = T.nn.Identity()
    assert isinstance(net.get_submodule("first"), T.nn.Identity)
    with pytest.raises(KeyError, match="module name can"):
        net.add_module("a.b", T.nn.ReLU())
    with pytest.raises(KeyError, match="already exists"):
        net.register_buffer("forward", T.zeros(1))
    with pytest.raises(NotImplementedError, match="missing the required"):
        T.nn.Module()(1)

    class Forgot(T.nn.Module):
        def __init__(self) -> None:
            self.linear = T.nn.Linear(1, 1)

    with pytest.raises(AttributeError, match=r"before Module.__init__\(\) call"):
        Forgot()


@LIBRARIES
def test_modes_apply_and_conversion(T: Any) -> None:
    net = network(T)
    assert all(not m.training for m in net.eval().modules()) and all(m.training for m in net.train().modules())
    seen = []
    net.apply(lambda m: seen.append(type(m).__name__))
    assert seen[-1] == "Net" and seen[0] == "Linear"
    net.double()
    assert all(p.dtype == T.float64 for p in net.parameters()) and net.first.count.dtype == T.int64
    assert net.to(T.float32).first.scale.dtype == T.float32
    assert net.to("cpu") is net and net.to(T.device("cpu"), T.float64).first.scale.dtype == T.float64
    with pytest.raises(TypeError, match="floating point"):
        net.to(T.int64)
    net.requires_grad_(False)
    assert not any(p.requires_grad for p in net.parameters())


@LIBRARIES
def test_zero_grad(T: Any) -> None:
    m = T.nn.Linear(2, 1)
    m(T.ones(3, 2)).sum().backward()
    g = m.weight.grad
    m.zero_grad(set_to_none=False)
    assert m.weight.grad is not None and m.weight.grad.sum().item() == 0 and g is not None
    m.zero_grad()
    assert m.weight.grad is None


@LIBRARIES
def test_hooks(T: Any) -> None:
    m = T.nn.Linear(2, 2)
    x = T.ones(1, 2, requires_grad=True)
    handle = m.register_forward_pre_hook(lambda mod, args: (args[0] * 2,))
    m.register_forward_hook(lambda mod, args, out: out + 1)
    expected = (T.ones(1, 2) * 2) @ m.weight.T + m.bias + 1
    assert T.allclose(m(x), expected)
    handle.remove()
    assert T.allclose(m(x), T.ones(1, 2) @ m.weight.T + m.bias + 1)
    seen: dict = {}
    m.register_full_backward_hook(lambda mod, gin, gout: seen.update(gin=gin, gout=gout))
    m.register_full_backward_pre_hook(lambda mod, gout: (gout[0] * 10,))
    m(x).sum().backward()
    assert seen["gout"][0].tolist() == [[10.0, 10.0]]
    assert T.allclose(seen["gin"][0], x.grad)
    m2 = T.nn.Linear(2, 2)
    m2.register_forward_pre_hook(lambda mod, args, kwargs: ((), {"input": kwargs["input"] * 0}), with_kwargs=True)
    assert T.allclose(m2(input=x), m2.bias.expand(1, 2))


@LIBRARIES
def test_containers(T: Any) -> None:
    nn = T.nn
    s = nn.Sequential(nn.Linear(1, 2), nn.ReLU(), nn.Linear(2, 3))
    assert len(s) == 3 and isinstance(s[1], nn.ReLU) and isinstance(s[-1], nn.Linear) and len(s[1:]) == 2
    s[1] = nn.Tanh()
    del s[0]
    assert [n for n, _ in s.named_children()] == ["0", "1"] and isinstance(s[0], nn.Tanh)
    s.append(nn.ReLU()).extend([nn.Tanh()]).insert(0, nn.Identity())
    assert [type(m).__name__ for m in s] == ["Identity", "Tanh", "Linear", "ReLU", "Tanh"]
    with pytest.raises(IndexError):
        s[9]
    m = nn.ModuleList([nn.ReLU()])
    m += [nn.Tanh()]
    m.insert(1, nn.Identity())
    assert [type(b).__name__ for b in m] == ["ReLU", "Identity", "Tanh"] and isinstance(m.pop(0), nn.ReLU)
    d = nn.ModuleDict([("x", nn.ReLU())])
    d["y"] = nn.Tanh()
    assert "x" in d and list(d.keys()) == ["x", "y"] and isinstance(d.pop("x"), nn.ReLU) and len(d) == 1
    p = nn.ParameterList([T.zeros(1)])
    p.append(T.ones(2))
    assert len(p) == 2 and isinstance(p[1], nn.Parameter) and len(list(p.parameters())) == 2


@LIBRARIES
def test_arithmetic_of_sequentials(T: Any) -> None:
    a, b = T.nn.Sequential(T.nn.ReLU()), T.nn.Sequential(T.nn.Tanh(), T.nn.Identity())
    names = lambda s: [type(m).__name__ for m in s]
    assert names(a * 3) == names(3 * a) == ["ReLU"] * 3 and names(a + b) == ["ReLU", "Tanh", "Identity"]
    kept = a
    a += b
    a *= 2
    assert a is kept and names(a) == ["ReLU", "Tanh", "Identity"] * 2 and list(a._modules) == list("012345")
    assert names(a.extend(sequential=b)) == names(a)
    for error, wrong in (
        (TypeError, lambda: a * 1.5),
        (ValueError, lambda: a * 0),
        (ValueError, lambda: a + T.nn.ReLU()),
        (ValueError, lambda: operator.iadd(a, [T.nn.ReLU()])),
    ):
        with pytest.raises(error):
            wrong()


@LIBRARIES
def test_a_parameter_dict_is_a_dictionary(T: Any) -> None:
    d = T.nn.ParameterDict({"a": T.ones(2), "b": T.zeros(3)})
    e = d.copy()
    assert e["a"] is d["a"] and d.get("z") is None and d.get("z", 3) == 3 and d.get("a") is d["a"]
    assert d.setdefault("c", T.ones(1)).shape == (1,) and isinstance(d["c"], T.nn.Parameter)
    assert d.setdefault("a", T.ones(9)).shape == (2,) and list(reversed(d)) == ["c", "b", "a"]
    assert d.popitem()[0] == "c" and d.pop("a").shape == (2,) and list(d) == ["b"]
    assert [n for n, _ in d.named_parameters()] == ["b"] and len(e) == 2
    both = d | T.nn.ParameterDict({"b": T.ones(7), "q": T.ones(1)})
    assert list(both) == ["b", "q"] and both["b"].shape == (7,) and d["b"].shape == (3,)
    kept = d
    d |= both
    assert d is kept and list(d) == ["b", "q"] and [*d.fromkeys(["x", "y"], 1.5).values()] == [1.5, 1.5]
    d.clear()
    assert len(d) == 0 and not list(d.parameters())
    for error, wrong in (
        (KeyError, lambda: d.popitem()),
        (TypeError, lambda: operator.setitem(d, 3, T.ones(1))),
    ):
        with pytest.raises(error):
            wrong()
    assert T is torch or len(d) == 0  # PyTorch keeps the key it has refused


@LIBRARIES
def test_moving_a_module(T: Any) -> None:
    inner = T.nn.Linear(2, 2)
    net = T.nn.Sequential(inner, inner)
    assert len(list(net.modules())) == 2 and len(list(net.modules(remove_duplicate=False))) == 3
    w, memory = inner.weight, inner.weight.detach()
    assert net.to_empty(device="cpu") is net and inner.weight is w and w.shape == (2, 2)
    with T.no_grad():
        w.fill_(3.0)
    assert not (memory == 3).any()
    outer = T.nn.Sequential(T.nn.BatchNorm1d(2))
    mean = outer[0].running_mean
    assert outer.to_empty(device="cpu", recurse=False)[0].running_mean is mean
    assert T.nn.ReLU().cuda() is not None and T.nn.ReLU().bfloat16() is not None  # nothing to convert


def test_what_the_house_has_not_says_so() -> None:
    with pytest.raises(RuntimeError, match="no CUDA device"):
        ndl.nn.Linear(2, 2).cuda()
    with pytest.raises(TypeError, match="bfloat16 is not here"):
        ndl.nn.Linear(2, 2).bfloat16()


def test_deepcopy_and_pickle() -> None:
    net = network(ndl)
    for other in (copy.deepcopy(net), pickle.loads(pickle.dumps(net.seq))):
        assert isinstance(other, ndl.nn.Module)
    other = copy.deepcopy(net)
    assert other.tied is other.seq.one and other.first.scale is not net.first.scale
    with ndl.no_grad():
        other.first.scale.zero_()
    assert (net.first.scale == 1).all()


@pytest.mark.parametrize("T", [ndl, torch], ids=["ndl", "torch"])
def test_the_copy_of_a_trained_model_has_no_gradients(T: Any) -> None:
    model = T.nn.Linear(2, 1)
    model(T.ones(1, 2)).sum().backward()
    twin = copy.deepcopy(model)
    assert twin.weight.grad is None and twin.weight.requires_grad and model.weight.grad is not None
    twin(T.ones(1, 2)).sum().backward()
    assert twin.weight.grad.tolist() == [[1, 1]] and type(twin.weight) is T.nn.Parameter
    frozen = copy.deepcopy(model.requires_grad_(False))
    assert not frozen.weight.requires_grad and T.equal(frozen.weight, twin.weight)


def test_what_came_through_pickle_can_be_used() -> None:
    """Arrays from a pickle carry a dtype object of their own, equal to NumPy's but not the same."""
    model = pickle.loads(pickle.dumps(ndl.nn.Linear(3, 4)))
    assert model(ndl.ones(5, 3)).shape == (5, 4)
    for make in (ndl.tensor, ndl.from_numpy, ndl.as_tensor):
        x = make(pickle.loads(pickle.dumps(np.ones((5, 3), np.float32))))
        assert ndl.nn.Linear(3, 4)(x).shape == (5, 4) and x._array.dtype is np.dtype(np.float32)


def test_wrong_types_are_named() -> None:
    for call in (
        lambda: ndl.nn.Linear(3, 2)([1, 2, 3]),
        lambda: ndl.nn.functional.cross_entropy(ndl.zeros(2, 3), [0, 1]),
        lambda: ndl.nn.functional.mse_loss(ndl.zeros(2), 1.0),
    ):
        with pytest.raises(TypeError, match="must be Tensor, not"):
            call()


def test_a_number_formats_as_a_number() -> None:
    for T in (ndl, torch):
        assert f"{T.tensor(0.5)} {T.tensor(0.25):.1f}" == "0.5 0.2"


@LIBRARIES
def test_hooks_that_are_always_called(T: Any) -> None:
    class Fails(T.nn.Module):
        def forward(self, x: Any) -> Any:
            raise ValueError("on purpose")

    m, seen = Fails(), []
    m.register_forward_hook(lambda mod, args, out: seen.append("only after success"))
    handle = m.register_forward_hook(lambda mod, args, out: seen.append(out), always_call=True)
    for _ in range(2):
        with pytest.raises(ValueError, match="on purpose"):
            m(1)
        assert seen == [None]
        handle.remove()
