"""The protocol for ``ndl.nn.binary_loss``, what connects its losses, extreme values and what is refused."""

import numpy as np
import pytest
import torch

import ndl
import ndl.nn.functional as F
from tests.both import refused, same
from tests.proof import proof

test_parity, test_numeric, test_second = proof("nn.binary_loss")

RNG = np.random.default_rng(0)


def test_logits_and_probabilities_agree() -> None:
    x, t = RNG.standard_normal((5, 3)), RNG.uniform(size=(5, 3))
    np.testing.assert_allclose(
        F.binary_cross_entropy(1 / (1 + np.exp(-x)), t), F.binary_cross_entropy_with_logits(x, t), rtol=1e-13
    )


def test_soft_margin_is_the_same_loss_for_other_targets() -> None:
    x, t = RNG.standard_normal(7), RNG.integers(0, 2, 7).astype(float)
    np.testing.assert_allclose(F.soft_margin_loss(x, 2 * t - 1), F.binary_cross_entropy_with_logits(x, t), rtol=1e-13)


def test_logits_without_bounds() -> None:
    x, t = np.array([1e4, -1e4, 1e4, -1e4, np.inf, -np.inf]), np.array([0.0, 1, 1, 0, 0, 1])
    same(lambda T, x, t: T.nn.functional.binary_cross_entropy_with_logits(x, t.detach(), reduction="none"), x, t)
    same(
        lambda T, x, t: T.nn.functional.multilabel_soft_margin_loss(x, t.detach(), reduction="none"),
        x[None, :4],
        t[None, :4],
    )


def test_soft_margin_does_not_overflow() -> None:
    """Where e^(−t x) does, PyTorch's loss is inf and its gradient nan."""
    x = ndl.tensor([1e4, -1e4], requires_grad=True)
    y = F.soft_margin_loss(x, ndl.tensor([-1.0, -1.0]), reduction="none")
    y.sum().backward()
    assert y.tolist() == [1e4, 0.0]
    assert x.grad.tolist() == [1.0, 0.0]


def test_certain_mistakes_cost_one_hundred() -> None:
    x, t = np.array([0.0, 1.0, 0.0, 1.0]), np.array([1.0, 0.0, 0.0, 1.0])
    L = F.binary_cross_entropy(ndl.tensor(x), ndl.tensor(t), reduction="none")
    assert L.abs().tolist() == [100, 100, 0, 0]
    # The target's gradient is not cut off: log(1 − x) − log x.
    same(lambda T, x, t: T.nn.functional.binary_cross_entropy(x.detach(), t, reduction="none"), x, t)


@pytest.mark.parametrize(
    ("x", "t", "message"),
    [
        ([1.5], [1.0], "input should be between 0 and 1, but got values from 1.5 to 1.5; logits go to"),
        ([-0.1], [1.0], "input should be between"),
        ([np.nan], [1.0], "input should be between"),
        ([0.5], [3.0], "target should be between 0 and 1"),
        ([0.5], [np.nan], "target should be between"),
        ([0.5], [1], "Found dtype int64 for the target but expected float64"),
    ],
)
def test_values_outside_of_the_unit_interval(x, t, message) -> None:
    assert message in refused(lambda T, x, t: T.nn.functional.binary_cross_entropy(x, t), np.array(x), np.array(t))


@pytest.mark.parametrize("name", ["binary_cross_entropy", "binary_cross_entropy_with_logits"])
def test_shapes(name) -> None:
    f = lambda T, x, t: getattr(T.nn.functional, name)(x, t)
    assert "([2])" in refused(f, np.full((3, 2), 0.5), np.full(2, 0.5), error=ValueError)
    for shape in ((2, 3), (2,)):  # a weight does not make the loss larger
        message = refused(
            lambda T, x, w: getattr(T.nn.functional, name)(x, x.detach(), w.detach(), reduction="none"),
            np.full(3, 0.5),
            np.ones(shape),
        )
        assert f"{list(shape)} cannot be broadcast to the input's [3]" in message


def test_what_gets_no_gradient_says_so() -> None:
    x = np.array([0.5, 0.2])
    for program in (
        lambda T, x, w: T.nn.functional.binary_cross_entropy(x, x.detach(), w),
        lambda T, x, w: T.nn.functional.binary_cross_entropy_with_logits(x, x.detach(), w),
        lambda T, x, w: T.nn.functional.binary_cross_entropy_with_logits(x, x.detach(), pos_weight=w),
        lambda T, x, w: T.nn.functional.soft_margin_loss(x, w),
    ):
        assert "not differentiable with respect to argument" in refused(program, x, np.ones(2))


def test_integer_targets_of_logits() -> None:
    refused(lambda T, x, t: T.nn.functional.binary_cross_entropy_with_logits(x, t), np.array([0.5]), np.array([1]))


def test_integer_logits_are_refused_beside_a_floating_target() -> None:
    """Promotion to the target's type must not make floats of them."""
    for name in ("binary_cross_entropy_with_logits", "soft_margin_loss", "multilabel_soft_margin_loss"):
        refused(lambda T, x, t, name=name: getattr(T.nn.functional, name)(x, t), np.array([[2, -1]]), np.ones((1, 2)))


@pytest.mark.parametrize(("x", "t"), [((3,), (2, 3)), ((2, 1), (2, 3)), ((), (3,))])
def test_soft_margin_does_not_grow_to_the_targets_shape(x, t) -> None:
    message = refused(
        lambda T, a, b: T.nn.functional.soft_margin_loss(a, b.detach()), RNG.standard_normal(x), np.ones(t)
    )
    assert str(list(x)) in message and str(list(t)) in message
    same(lambda T, a, b: T.nn.functional.soft_margin_loss(a, b.detach()), RNG.standard_normal((2, 3)), np.ones(3))


@pytest.mark.parametrize(("x", "t", "w"), [((4, 1), (4, 3), 3), ((3,), (2, 3), 3), ((4, 1), (4, 1), 2)])
def test_multilabel_divides_by_the_inputs_classes(x, t, w) -> None:
    """Where target or weight make the losses larger, PyTorch sums over, and divides by, the input's classes."""
    arrays = RNG.standard_normal(x), RNG.uniform(size=t), RNG.standard_normal(w)
    for reduction in ("none", "sum", "mean"):
        same(lambda T, *a, r=reduction: T.nn.functional.multilabel_soft_margin_loss(*a, reduction=r), *arrays)


def test_a_multilabel_needs_a_dimension_of_classes() -> None:
    for T in (ndl, torch):
        with pytest.raises(IndexError):
            T.nn.functional.multilabel_soft_margin_loss(T.tensor(1.0), T.tensor(1.0))
