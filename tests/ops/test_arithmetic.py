import numpy as np
import pytest
import torch

import ndl
from tests.both import refused, same
from tests.ops.special_values import same_everywhere
from tests.proof import proof

test_parity, test_numeric, test_second = proof("ops.arithmetic")


@pytest.mark.parametrize("name", ["neg", "abs", "sign", "sgn", "positive"])
def test_special_values_of_one(name):
    same_everywhere(lambda T, x: getattr(T, name)(x))


@pytest.mark.parametrize("name", ["add", "sub", "mul", "div", "rsub"])
def test_special_values_of_two(name):
    same_everywhere(lambda T, x, y: getattr(T, name)(x, y), 2)


def test_sums_are_pytorchs_to_the_last_bit():
    rng = np.random.default_rng(0)
    x, y = (rng.standard_normal((7, 5)).astype(np.float32) for _ in range(2))
    for f in (lambda a, b: a + b, lambda a, b: a - b, lambda a, b: a * b, lambda a, b: a / b):
        ours, theirs = (f(T.from_numpy(x), T.from_numpy(y)).numpy() for T in (ndl, torch))
        np.testing.assert_array_equal(ours, theirs)


def test_alpha_scales_integers_by_integers_only():
    n = np.arange(4)
    same(lambda T, n: (T.add(n, n, alpha=3), n.sub(1, alpha=2), T.rsub(n, 1, alpha=2)), n)
    for name in ("add", "sub", "rsub"):
        refused(lambda T, n: getattr(T, name)(n, n, alpha=2.5), n)  # noqa: B023


def test_alpha_is_applied_in_the_type_of_the_result():
    # In float32, 3 · 0.1 would have lost half of its digits before it meets the float64 tensor.
    same(
        lambda T, x, n: (T.add(x, n, alpha=0.1), T.sub(x, 0.1, alpha=3), T.rsub(x, 1, alpha=0.1)),
        np.ones(3),
        np.arange(3),
    )


def test_booleans_have_no_difference():
    mask, n = np.array([True, False]), np.arange(2)
    message = refused(lambda T, m: m - m, mask)
    assert "logical_not" in message and "logical_xor" in message
    refused(lambda T, m, n: m - n, mask, n)
    refused(lambda T, m, n: n - m, mask, n)
    refused(lambda T, m: m - 1, mask)
    refused(lambda T, m: 1 - m, mask)
    refused(lambda T, n: n - True, n)
    refused(lambda T, m: -m, mask)
    refused(lambda T, m: +m, mask)
    refused(lambda T, m: abs(m), mask, error=NotImplementedError)
    same(lambda T, m: (m + m, m * m, m + 1, T.sign(m)), mask)


def test_positive_is_the_tensor_itself():
    x = ndl.ones(2, requires_grad=True)
    assert +x is x and ndl.positive(x) is x


def test_one_tensor_on_both_sides_gets_both_gradients():
    same(lambda T, x: x + x, np.arange(3.0))
    same(lambda T, x: x * x, np.arange(3.0))
    same(lambda T, x: x / x, np.arange(1.0, 4.0))
    same(lambda T, x: x - x, np.arange(3.0))


def test_used_twice_before_one_backward():
    x = ndl.tensor([2.0, 3.0], requires_grad=True)
    y, z = x * x, 1 / x
    (y.sum() + z.sum()).backward()
    assert x.grad.tolist() == pytest.approx([4 - 1 / 4, 6 - 1 / 9])


def test_broadcasting_sums_the_gradient():
    same(lambda T, x, y: x * y, np.arange(1.0, 4.0), np.arange(1.0, 9.0).reshape(2, 4, 1))
    same(lambda T, x, y: x / y - y, np.float64(2.0), np.arange(1.0, 9.0).reshape(2, 4, 1))


WRITES = {
    "the factor of a product": lambda T, x, w: (x * w, w.add_(1))[0],
    "the result of a product": lambda T, x, w: (x * w).add_(1),
    "a product in place": lambda T, x, w: x.mul_(w),
    "by itself": lambda T, x, w: x.add_(x),
    "a quotient's divisor": lambda T, x, w: (x / w, w.mul_(2))[0],
    "a quotient's dividend": lambda T, x, w: (x / w.detach(), x.mul_(2))[0],
    "a sum's terms": lambda T, x, w: (x + w, x.mul_(2), w.zero_())[0],
    "what abs saw": lambda T, x, w: (abs(x), x.neg_())[0],
    "the result of abs": lambda T, x, w: abs(x).neg_(),
    "a constant factor": lambda T, x, w: (x * w.detach(), x.mul_(2))[0],
}


@pytest.mark.parametrize("name", WRITES)
def test_the_same_in_place_programs_run(name):
    def outcome(T):
        x, w = (T.tensor(v, dtype=T.float64, requires_grad=True) for v in ([1.0, -2.0], [3.0, 4.0]))
        try:
            WRITES[name](T, x * 1, w * 1).sum().backward()
        except RuntimeError as error:
            assert "modified by an inplace operation" in str(error)
            return "refused"
        return x.grad.tolist(), None if w.grad is None else w.grad.tolist()

    assert outcome(ndl) == outcome(torch)


def test_in_place_results_keep_shape_and_type():
    refused(lambda T, n: n.add_(0.5), np.arange(3))
    refused(lambda T, n: n.div_(2), np.arange(3))
    refused(lambda T, x, y: (x * 1).add_(y), np.ones(3), np.ones((2, 3)))
    refused(lambda T, x: x.add_(1), np.ones(3))  # a leaf


def test_augmented_assignment_writes_into_the_same_tensor():
    x = ndl.ones(3)
    y, memory = x, x.data_ptr()
    y += 1
    y *= 2
    y -= 0.5
    y /= 2
    assert y is x and x.data_ptr() == memory and x.tolist() == [1.75] * 3
