"""The protocol for ``ndl.nn.batchnorm``."""

import pytest
import torch

import ndl
from tests.both import agree, outcome
from tests.proof import proof

test_parity, test_numeric, test_second = proof("nn.batchnorm")


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("which", ["running_mean", "running_var", "weight", "bias"])
@pytest.mark.parametrize("kind", ["float32", "float64", "int64"])
def test_mixed_types_are_refused(kind, which, training):
    def run(T):
        given = {name: T.ones(3) for name in ("running_mean", "running_var", "weight", "bias")}
        given[which] = T.ones(3, dtype=getattr(T, kind))
        T.nn.functional.batch_norm(T.arange(12.0).view(2, 3, 2), **given, training=training)

    found = agree(lambda T: outcome(lambda: run(T)))
    if which.startswith("running") and training and kind == "int64":
        return
    assert found == (None if kind == "float32" else "RuntimeError")


def test_integers_are_not_normalised():
    agree(lambda T: outcome(lambda: T.nn.functional.batch_norm(T.ones(2, 3).long(), None, None, training=True)))
    x = ndl.arange(12.0).view(2, 3, 2)
    with pytest.raises(RuntimeError, match=r"weight is ndl\.float64 and the input ndl\.float32"):
        ndl.nn.functional.batch_norm(x, None, None, ndl.ones(3).double(), training=True)


def test_batches_are_not_counted_while_nothing_is_tracked():
    def run(T):
        m = T.nn.BatchNorm1d(2, momentum=None)
        x = T.tensor([[1.0, 2.0], [3.0, 4.0], [7.0, 8.0]])
        for tracked in (True, False, False, True):
            m.track_running_stats = tracked
            m(x)
            x = x + 1
        return m.num_batches_tracked.item(), [round(v, 2) for v in m.running_mean.tolist()]

    agree(run)


@pytest.mark.parametrize("missing", ["running_mean", "running_var"])
def test_one_running_statistic_alone_is_refused(missing):
    def run(T, error):
        m = T.nn.BatchNorm1d(3)
        setattr(m, missing, None)
        with pytest.raises(error, match="must either both be None or neither"):
            m(T.ones(4, 3))

    for T in (ndl, torch):
        run(T, ValueError)


def test_epsilon_below_zero_is_refused():
    for T in (ndl, torch):
        with pytest.raises(ValueError, match="eps must be non-negative"):
            T.nn.functional.batch_norm(T.ones(4, 3), T.zeros(3), T.ones(3), eps=-0.5)
