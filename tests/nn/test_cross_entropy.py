"""The protocol for ``ndl.nn.cross_entropy``, and what is left of it without classes."""

import numpy as np
import pytest

from tests.both import agree, refused, same
from tests.proof import proof

test_parity, test_numeric, test_second = proof("nn.cross_entropy")


@pytest.mark.parametrize("reduction", ["none", "sum", "mean"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("shape", [(3, 0), (0,)])
def test_no_classes_and_every_target_ignored(shape, weighted, reduction):
    def program(T, x):
        target = T.full(shape[:-1], 7, dtype=T.int64)
        weight = T.ones(0, dtype=T.float64) if weighted else None
        return T.nn.functional.cross_entropy(x, target, weight, ignore_index=7, reduction=reduction)

    same(program, np.zeros(shape))


def test_no_classes_and_a_target_among_them():
    def program(T, x):
        return T.nn.functional.cross_entropy(x, T.zeros(3, dtype=T.int64))

    assert "Target 0 is out of bounds" in refused(program, np.zeros((3, 0)), error=IndexError)


LOSSES = {
    "cross_entropy": lambda T, x, t: T.nn.functional.cross_entropy(x, t),
    "smoothed": lambda T, x, t: T.nn.functional.cross_entropy(x, t, label_smoothing=0.1),
    "nll_loss": lambda T, x, t: T.nn.functional.nll_loss(x, t),
}


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("shape", [(2, 3), (2, 3, 4), (3,)])
def test_a_batch_of_ignored_targets_has_no_gradient(shape, loss):
    def gradient(T):
        x = T.ones(shape, requires_grad=True)
        target = T.full(shape[:1] * (len(shape) > 1) + shape[2:], -100, dtype=T.int64)
        LOSSES[loss](T, x, target).backward()
        return x.grad.tolist()

    assert agree(gradient) == np.zeros(shape).tolist()


@pytest.mark.parametrize("loss", ["cross_entropy", "nll_loss"])
def test_whatever_comes_back_an_ignored_target_gets_nothing(loss):
    def gradients(T):
        x = T.tensor([[0.5, 1.0, -1.0], [2.0, 0.0, 1.0]], requires_grad=True)
        y = getattr(T.nn.functional, loss)(x, T.tensor([1, -100]), reduction="none")
        (g,) = T.autograd.grad(y, x, T.tensor([1.0, float("nan")]), create_graph=True)
        return [round(v, 5) for v in g[1].tolist()], round(float(g[0, 1].detach()), 5)

    agree(gradients)


def test_classes_with_probabilities_cannot_be_ignored():
    def program(T, x):
        return T.nn.functional.cross_entropy(x, T.full((2, 3), 1 / 3, dtype=T.float64), ignore_index=1)

    assert "ignore_index=1 is not supported" in refused(program, np.zeros((2, 3)))
