import numpy as np

from tests.both import refused, same
from tests.ops.special_values import same_everywhere
from tests.proof import proof

test_parity, test_numeric, test_second = proof("ops.combinations")


def test_special_values():
    for w in (0, 0.3, 1, 2):
        same_everywhere(lambda T, x, y: T.lerp(x, y, w), 2)  # noqa: B023
    same_everywhere(lambda T, x, y: T.addcmul(x, x, y, value=0.5), 2)


def test_lerp_reaches_its_ends_exactly():
    x, y = np.array([1e20, 0.1]), np.array([1.0, 0.3])
    same(lambda T, x, y: (T.lerp(x, y, 1), T.lerp(x, y, 1.0), T.lerp(x, y, 0), T.lerp(x, y, T.ones_like(x))), x, y)


def test_types_must_agree():
    x = np.ones(2)
    assert "`end`" in refused(lambda T, x: T.lerp(x, x.float(), 0.5), x)
    assert "`weight`" in refused(lambda T, x: T.lerp(x, x, x.float()), x)
    refused(lambda T, n: T.lerp(n, n, 0.5), np.arange(2), error=NotImplementedError)
    assert ".float()" in refused(lambda T, n: T.addcdiv(n, n, n), np.arange(1, 3))
    same(
        lambda T, n, x: (T.addcmul(n, n, n, value=3), T.addcdiv(n, x.detach(), n), T.addcmul(x, n, n)),
        np.arange(1, 3),
        x,
    )


def test_each_input_alone():
    a, b, c = np.arange(1.0, 4.0), np.arange(2.0, 5.0), np.arange(3.0, 6.0)
    for i in range(3):

        def freeze(tensors, keep=i):
            return [t if j == keep else t.detach() for j, t in enumerate(tensors)]

        same(lambda T, *x: T.addcmul(*freeze(x), value=2), a, b, c)
        same(lambda T, *x: T.addcdiv(*freeze(x), value=2), a, b, c)
        same(lambda T, *x: T.lerp(*freeze(x)), a, b, c)
