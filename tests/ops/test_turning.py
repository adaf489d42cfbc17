from collections.abc import Callable

import ndl
from tests.both import agree
from tests.ops.raising import check, refusals
from tests.proof import proof

test_parity, test_numeric, test_second = proof("ops.turning")


def test_turned_memory_is_new_and_in_order():
    x = ndl.arange(6.0).reshape(2, 3)
    for y in (x.flip(0), x.flip(()), x.roll(1), x.roll(0, 0), x.rot90(0), x.rot90(1), x.fliplr(), x.flipud()):
        assert y.is_contiguous() or y.T.is_contiguous()
        y.zero_()
    assert x.tolist() == [[0, 1, 2], [3, 4, 5]]


def test_numbers_without_dimensions():
    agree(lambda T: (T.tensor(3.0).flip(()).item(), T.tensor(3.0).flip(0).item()))


def test_one_dimension_rolled_twice():
    agree(lambda T: T.arange(6).reshape(2, 3).roll((1, 1), (1, 1)).tolist())


@refusals(
    (lambda T, x, z: T.flip(x, (0, -2)), "dim 0 appears multiple times in the list of dims"),
    (lambda T, x, z: x.flip(2), "Dimension out of range"),
    (lambda T, x, z: T.fliplr(x[0]), "Input must be >= 2-d."),
    (lambda T, x, z: T.flipud(z), "Input must be >= 1-d."),
    (lambda T, x, z: T.roll(x, (1, 2), 0), "shifts and dimensions must align. shifts: 2, dims:1"),
    (lambda T, x, z: T.roll(x, (), ()), "`shifts` required"),
    (lambda T, x, z: T.roll(x, 1, 2), "Dimension out of range"),
    (lambda T, x, z: T.rot90(x, 1, [0]), "expected total rotation dims == 2, but got dims = 1"),
    (lambda T, x, z: T.rot90(x, 1, [0, -2]), "expected rotation dims to be different"),
    (lambda T, x, z: T.rot90(x[0]), "expected total dims >= 2, but got total dims = 1"),
)
def test_refusals(program: Callable, message: str) -> None:
    check(program, message)
