"""The protocol for ``ndl.nn.batchnorm``."""

import pytest

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
