"""detect_anomaly names the function and the line; without it, nan passes in silence. Variable is a Tensor."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import ndl

BOTH = pytest.mark.parametrize("T", [ndl, torch], ids=["ndl", "torch"])
quiet = pytest.mark.filterwarnings("ignore:Anomaly Detection has been enabled", "ignore:Error detected in")


def nan_at_zero(T: Any) -> Any:
    x = T.zeros(2, requires_grad=True)
    return (T.sqrt(x) * 0).sum()  # 0 · ∞


@BOTH
@quiet
def test_the_function_is_named(T: Any) -> None:
    with T.autograd.detect_anomaly(), pytest.raises(RuntimeError, match="Function 'SqrtBackward0' returned nan values"):
        nan_at_zero(T).backward()
    nan_at_zero(T).backward()
    with T.autograd.detect_anomaly(check_nan=False):
        nan_at_zero(T).backward()


@quiet
def test_the_line_is_named() -> None:
    with ndl.autograd.detect_anomaly(), pytest.raises(RuntimeError, match=r"line \d+ of .*test_anomaly.py, in nan_at"):
        nan_at_zero(ndl).backward()
    y = nan_at_zero(ndl)
    with ndl.autograd.detect_anomaly(), pytest.raises(RuntimeError, match="before detection was switched on"):
        y.backward()


@BOTH
def test_the_switch(T: Any) -> None:
    assert not T.is_anomaly_enabled()
    with T.autograd.set_detect_anomaly(True, check_nan=False):
        assert T.is_anomaly_enabled() and not T.is_anomaly_check_nan_enabled()
    assert not T.is_anomaly_enabled() and T.is_anomaly_check_nan_enabled()
    try:
        T.autograd.set_detect_anomaly(True)
        assert T.is_anomaly_enabled()
    finally:
        T.autograd.set_detect_anomaly(False)
    with pytest.warns(UserWarning, match="should only be enabled for debugging"):
        T.autograd.detect_anomaly()


@quiet
def test_a_finite_backward_is_left_alone() -> None:
    x = ndl.ones(3, requires_grad=True)
    with ndl.autograd.detect_anomaly():
        (x * x).sum().backward(create_graph=True)
        x.grad.sum().backward()
    assert x.grad.tolist() == [4, 4, 4]


@BOTH
def test_variable(T: Any) -> None:
    x = T.ones(2)
    v = T.autograd.Variable(x, requires_grad=True)
    assert isinstance(v, T.Tensor) and isinstance(x, T.autograd.Variable) and not isinstance(3, T.autograd.Variable)
    assert v.requires_grad and v.is_leaf and not x.requires_grad
    v.detach()[0] = 5
    assert x.tolist() == [5, 1]
    assert not T.autograd.Variable(x).requires_grad
