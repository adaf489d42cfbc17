"""The protocol for ``ndl.nn.unfold``, its errors, and that fold is the transpose of unfold."""

import numpy as np
import pytest
import torch

import ndl
from tests.both import refused, same
from tests.proof import proof

test_parity, test_numeric, test_second = proof("nn.unfold")


def test_fold_is_the_transpose_of_unfold() -> None:
    """⟨unfold x, y⟩ = ⟨x, fold y⟩; and fold(unfold(1)) counts the windows over each pixel."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((2, 3, 5, 6))
    columns = ndl.nn.functional.unfold(x, (3, 2), padding=(1, 0), stride=(2, 1))
    y = rng.standard_normal(columns.shape)
    back = ndl.nn.functional.fold(y, (5, 6), (3, 2), padding=(1, 0), stride=(2, 1))
    np.testing.assert_allclose(np.vdot(columns, y), np.vdot(x, back), rtol=1e-12)
    counts = ndl.nn.functional.fold(ndl.nn.functional.unfold(np.ones((1, 1, 3, 3)), 2), 3, 2)
    np.testing.assert_array_equal(counts, [[[[1, 2, 1], [2, 4, 2], [1, 2, 1]]]])


REFUSED = [
    lambda T, F, x: F.unfold(x[0, 0][0], 2),
    lambda T, F, x: F.unfold(x, 9),
    lambda T, F, x: F.unfold(x, 0),
    lambda T, F, x: F.unfold(x, 2, 0),
    lambda T, F, x: F.unfold(x, 2, 1, -1),
    lambda T, F, x: F.unfold(x, 2, 1, 0, 0),
    lambda T, F, x: F.unfold(x[:, :0], 2),
    lambda T, F, x: F.unfold(x, (2, 2, 2)),
    lambda T, F, x: F.unfold(x, (2,)),
    lambda T, F, x: F.unfold(x, 2, stride=(1,)),
    lambda T, F, x: F.fold(x, 4, 2),
    lambda T, F, x: F.fold(x.new_zeros(12, 8), 4, 2),
    lambda T, F, x: F.fold(x.new_zeros(13, 9), 4, 2),
    lambda T, F, x: F.fold(x.new_zeros(12, 9), 4, 0),
    lambda T, F, x: F.fold(x.new_zeros(12, 9), (4,), 2),
]


@pytest.mark.parametrize("run", REFUSED)
def test_what_pytorch_refuses_is_refused(run) -> None:
    for T in (ndl, torch):
        with pytest.raises((RuntimeError, IndexError)):
            run(T, T.nn.functional, T.ones(2, 3, 6, 7))


def test_integers_are_refused_but_not_truth_values() -> None:
    refused(lambda T, x: T.nn.functional.unfold(x, 2), np.ones((1, 1, 3, 3), int), error=NotImplementedError)
    refused(lambda T, y: T.nn.functional.fold(y, 3, 2), np.ones((1, 4, 4), np.uint8), error=NotImplementedError)
    same(lambda T, x: T.nn.functional.unfold(x, 2), np.eye(4, dtype=bool)[None, None])


def test_errors_name_what_was_given_and_what_was_wanted() -> None:
    with pytest.raises(RuntimeError, match=r"sliding blocks 3 \* 3 = 9, but got input.size\(2\)=8"):
        ndl.nn.functional.fold(ndl.zeros(12, 8), 4, 2)


@pytest.mark.parametrize(
    "make",
    [
        lambda nn: nn.Unfold((2, 3), 1, (1, 2), 2),
        lambda nn: nn.Fold((4, 5), (2, 2), padding=1),
        lambda nn: nn.Fold(4, 2),
    ],
)
def test_reprs(make) -> None:
    assert repr(make(ndl.nn)) == repr(make(torch.nn))
