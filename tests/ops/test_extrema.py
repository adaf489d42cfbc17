import numpy as np
import pytest

import ndl
from tests.both import refused, same
from tests.ops.special_values import same_everywhere
from tests.proof import proof

test_parity, test_numeric, test_second = proof("ops.extrema")


@pytest.mark.parametrize("name", ["maximum", "minimum", "fmax", "fmin"])
def test_special_values_of_two(name):
    same_everywhere(lambda T, x, y: getattr(T, name)(x, y), 2)


@pytest.mark.parametrize("bounds", [(-1, 1), (0, None), (None, 0.5), (1, -1), (float("nan"), 1), (0, float("inf"))])
def test_special_values_of_clamp(bounds):
    same_everywhere(lambda T, x: T.clamp(x, *bounds))


def test_special_values_of_clamp_with_tensors():
    same_everywhere(lambda T, x, y: T.clamp(x, min=y), 2)
    same_everywhere(lambda T, x, y: T.clamp(x, max=y), 2)
    values = [-1.0, 0.0, 0.5, 1.0, np.nan]
    same(lambda T, *x: T.clamp(*x), *(g.reshape(-1) for g in np.meshgrid(values, values, values)))


def test_a_tie_is_shared_or_goes_to_the_first():
    x, y = (ndl.tensor([1.0], requires_grad=True) for _ in range(2))
    shares = []
    for f in (ndl.maximum, ndl.minimum, ndl.fmax, ndl.fmin, lambda x, y: ndl.clamp(x, min=y), ndl.clamp_max):
        x.grad = y.grad = None
        f(x, y).backward()
        shares.append((x.grad.item(), y.grad.item()))
    assert shares == [(0.5, 0.5)] * 2 + [(1, 0)] * 4


def test_with_itself():
    same(lambda T, x: T.maximum(x, x), np.arange(3.0))
    same(lambda T, x: T.fmin(x, x), np.arange(3.0))
    same(lambda T, x: T.clamp(x, x, x), np.arange(3.0))


def test_an_infinite_gradient_stays_with_the_one_chosen():
    # d√z/dz is infinite at 0; the values that clamp cut off must get 0 of it, not nan.
    same(lambda T, x: T.clamp(x, min=0.0).sqrt(), np.array([-1.0, 0.0, 1.0]))
    same(lambda T, x, y: T.maximum(x, y).sqrt(), np.array([-1.0, 0.0, 1.0]), np.zeros(3) + [0, -1, 0])


def test_bounds():
    x = np.arange(3.0)
    assert "At least one" in refused(lambda T, x: T.clamp(x), x)
    refused(lambda T, x: T.clamp(x, "a"), x, error=TypeError)
    refused(lambda T, x: T.clamp(x, T.ones(2)), x)
    same(lambda T, x: (x.clamp(max=1, min=0.5), T.clip(x, 1), x.clamp_min(1), T.clamp_max(x, 1), x.clip(None, 1)), x)
    same(lambda T, n: (n.clamp(0, 1), n.clamp(0.5), n.clamp(T.tensor(1), T.tensor(2.5))), np.arange(-3, 3))
    same(lambda T, m: m.clamp(0, 1), np.array([True, False]))


def test_both_in_one_type():
    same(lambda T, x, n: (T.maximum(x, n), T.minimum(n, x), T.fmax(n, n)), np.array([0.5, 1.5]), np.arange(2))
    same(lambda T, m: T.maximum(m, ~m), np.array([True, False]))


def test_only_what_is_needed_gets_a_gradient():
    same(lambda T, x, y: T.maximum(x, y.detach()), np.arange(3.0), np.ones(3))
    same(lambda T, x, y: T.fmin(x.detach(), y), np.arange(3.0), np.ones(3))
    same(lambda T, x, y: T.clamp(x.detach(), min=y), np.arange(3.0), np.ones(3))
