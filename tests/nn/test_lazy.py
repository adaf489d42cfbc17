"""The protocol for ``ndl.nn.lazy``, and what happens before the first batch."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest
import torch

import ndl
from tests.proof import proof

test_parity, test_numeric, test_second = proof("nn.lazy", examples=10)
LIBRARIES = pytest.mark.parametrize("T", [ndl, torch], ids=["ndl", "torch"])


def test_repr_names_and_first_values_are_pytorchs() -> None:
    for make, shape in (
        (lambda T: T.nn.LazyLinear(4), (2, 3)),
        (lambda T: T.nn.LazyConv2d(4, 3, padding=1, groups=2), (2, 6, 4, 4)),
        (lambda T: T.nn.LazyConvTranspose1d(4, 3, bias=False), (2, 6, 4)),
        (lambda T: T.nn.LazyBatchNorm3d(), (2, 3, 2, 2, 2)),
        (lambda T: T.nn.LazyInstanceNorm1d(), (2, 3, 4)),
    ):
        made = []
        for T in (ndl, torch):
            T.manual_seed(4)
            m = make(T)
            before = (repr(m), list(m.state_dict()), type(m).__name__)
            m(T.ones(shape) + T.arange(shape[-1]))
            made.append((before, repr(m), type(m).__name__, {k: v.numpy() for k, v in m.state_dict().items()}))
        assert made[0][:3] == made[1][:3]
        for k, v in made[1][3].items():
            np.testing.assert_allclose(made[0][3][k], v, rtol=1e-6)


@LIBRARIES
def test_nothing_can_be_done_before_the_first_batch(T: Any) -> None:
    m = T.nn.LazyLinear(3)
    assert isinstance(m.weight, T.nn.UninitializedParameter) and repr(m.weight) == "<UninitializedParameter>"
    assert m.weight.requires_grad and m.weight.dtype == T.float32 and m.double().weight.dtype == T.float64
    with pytest.raises(RuntimeError, match="shape of an uninitialized"):
        _ = m.weight.shape
    for use in (lambda w: w + 1, lambda w: w.sum(), lambda w: w @ T.ones(3)):
        with pytest.raises(ValueError, match="uninitialized parameter"):
            use(m.weight)
    with pytest.raises(RuntimeError, match="uninitialized"):
        T.nn.Linear(2, 3).load_state_dict(m.state_dict())
    y = m(T.ones(1, 2, dtype=T.float64))
    assert type(m) is T.nn.Linear and y.dtype == T.float64 and m.in_features == 2
    with pytest.raises(RuntimeError):
        m(T.ones(1, 5, dtype=T.float64))


@LIBRARIES
def test_a_state_tells_the_shapes(T: Any) -> None:
    def net() -> Any:
        return T.nn.Sequential(T.nn.LazyLinear(4), T.nn.ReLU(), T.nn.LazyLinear(2, bias=False))

    a, b = net(), net()
    x = T.ones(3, 5)
    y = a(x)
    assert str(b.load_state_dict(a.state_dict())) == "<All keys matched successfully>"
    assert type(b[0]) is T.nn.LazyLinear and b[0].weight.shape == (4, 5)
    assert T.equal(b(x), y) and type(b[0]) is T.nn.Linear and b[0].in_features == 5
    c = net()
    c.load_state_dict(a.state_dict())
    with pytest.raises((AssertionError, RuntimeError)):
        c(T.ones(3, 6))
    assert len(list(net().load_state_dict(net().state_dict()))) == 2


def test_copies_before_the_first_batch_are_their_own() -> None:
    for m, x in ((ndl.nn.LazyLinear(3), ndl.ones(2, 4)), (ndl.nn.LazyBatchNorm1d(), ndl.ones(2, 4))):
        for other in (copy.deepcopy(m), pickle.loads(pickle.dumps(m))):
            other(x)
            assert not other.has_uninitialized_params() if hasattr(other, "has_uninitialized_params") else True
            assert m.has_uninitialized_params()


@LIBRARIES
def test_inputs_that_do_not_fit(T: Any) -> None:
    with pytest.raises(RuntimeError, match=r"Expected 2D .unbatched. or 3D .batched. input"):
        T.nn.LazyConv1d(3, 2)(T.ones(3))
    with pytest.raises(ValueError, match="in_channels must be divisible by groups"):
        T.nn.LazyConv2d(3, 1, groups=3)(T.ones(1, 4, 2, 2))
    assert T.nn.LazyConv2d(3, 1)(T.ones(4, 2, 2)).shape == (3, 2, 2)


@LIBRARIES
def test_a_lazy_module_of_ones_own(T: Any) -> None:
    Mixin = T.nn.modules.lazy.LazyModuleMixin

    class Scale(T.nn.Module):
        def forward(self, x: Any) -> Any:
            return x * self.weight

    class LazyScale(Mixin, Scale):
        cls_to_become = Scale

        def __init__(self) -> None:
            super().__init__()
            self.weight = T.nn.UninitializedParameter()

        def initialize_parameters(self, x: Any) -> None:
            with T.no_grad():
                self.weight.materialize((x.shape[-1],))
                self.weight.fill_(2)

    m = LazyScale()
    assert m(T.ones(1, 3)).sum().item() == 6 and type(m) is Scale
    m(T.ones(2, 3)).sum().backward()
    assert m.weight.grad.tolist() == [2, 2, 2]
