"""autograd.grad: gradients as results, with nothing accumulated and nothing computed in vain."""

from typing import ClassVar

import numpy as np
import pytest

import ndl
from ndl.autograd import ArrayFunction
from tests.both import agree, leaves, outcome, refused, same

rng = np.random.default_rng(0)
x3, y3 = rng.standard_normal(3), rng.standard_normal(3)


def test_gradients_are_returned_and_not_accumulated():
    def program(T, x, y):
        z = (x * y).sum()
        dx, dy = T.autograd.grad(z, (x, y))
        assert x.grad is None and y.grad is None
        assert not dx.requires_grad
        return dx, dy

    same(program, x3, y3)


@pytest.mark.parametrize("several", [False, True])
def test_one_input_or_several(several):
    def program(T, x):
        z = (x * x).sum()
        result = T.autograd.grad(z, [x] if several else x)
        assert isinstance(result, tuple) and len(result) == 1
        return result

    same(program, x3)


def test_several_outputs_with_their_gradients():
    def program(T, x, y):
        a, b = x * y, x.exp()
        return T.autograd.grad((a, b.sum()), (x, y), (T.ones_like(a) * 2, None))

    same(program, x3, y3)


def test_inputs_that_are_not_leaves():
    def program(T, x):
        a = x * 2
        b = a * a
        c = b + a
        return T.autograd.grad(c.sum(), (a, b, c))

    same(program, x3)


def test_an_input_that_is_also_the_output():
    same(lambda T, x: T.autograd.grad(x, x, T.ones_like(x) * 3), x3)

    def computed(T, x):
        y = x * 2
        return T.autograd.grad(y, (y, x), T.ones_like(y) * 3)

    same(computed, x3)


def test_the_same_input_twice():
    same(lambda T, x: T.autograd.grad((x * x).sum(), (x, x)), x3)


def test_an_input_before_and_after_it_was_written():
    def program(T, x):
        y = x * 2
        y.mul_(3)
        return T.autograd.grad((y * y).sum(), (y, x))

    same(program, x3)


def test_unused_inputs():
    def program(T, x, y):
        z = (x * x).sum()

        def result(**options):
            found = T.autograd.grad(z, (x, y), retain_graph=True, **options)
            return [None if g is None else g.tolist() for g in found]

        return [
            outcome(lambda: result()),
            outcome(lambda: result(allow_unused=False)),
            outcome(lambda: result(allow_unused=True)),
            outcome(lambda: result(materialize_grads=True)),
            outcome(lambda: result(materialize_grads=True, allow_unused=True)),
            outcome(lambda: result(materialize_grads=True, allow_unused=False)),
        ]

    agree(lambda T: program(T, *leaves(T, (np.array([1.0, 2.0]), np.array([3.0])))))


def test_what_is_refused():
    refused(lambda T, x: T.autograd.grad((x * x).sum(), T.ones(3)), x3)
    refused(lambda T, x: T.autograd.grad(x * x, x), x3)
    refused(lambda T, x: T.autograd.grad(x.detach().sum(), x), x3)
    refused(lambda T, x: T.autograd.grad((x * x).sum(), x, T.ones(2, dtype=T.float64)), x3)
    refused(lambda T, x: T.autograd.grad((x * 2, x * 3), x, (T.ones_like(x),)), x3)


def test_the_graph_is_freed_unless_kept():
    def program(T, x):
        z = (x * x).sum()
        for _ in range(2):
            T.autograd.grad(z, x)

    refused(program, x3)

    def kept(T, x):
        z = (x * x).sum()
        return [T.autograd.grad(z, x, retain_graph=True)[0] for _ in range(3)]

    same(kept, x3)


class Loud(ArrayFunction):
    """The identity; its backward leaves a trace."""

    calls: ClassVar[list] = []

    @staticmethod
    def forward(ctx, x, name):
        ctx.name = name
        return x.copy()

    @staticmethod
    def backward(ctx, dy):
        Loud.calls.append(ctx.name)
        return dy, None


def test_branches_that_lead_to_no_input_are_not_run():
    Loud.calls = []
    x, y = leaves(ndl, (x3, y3))
    z = Loud.apply(x, "x") * Loud.apply(Loud.apply(y, "y"), "y again")
    ndl.autograd.grad(z.sum(), x)
    assert Loud.calls == ["x"]
    Loud.calls = []
    z = Loud.apply(x, "x") * Loud.apply(y, "y")
    z.sum().backward(inputs=[y])
    assert Loud.calls == ["y"] and x.grad is None


def test_nothing_runs_beyond_an_input():
    Loud.calls = []
    (x,) = leaves(ndl, (x3,))
    middle = Loud.apply(x, "before")
    end = Loud.apply(middle, "after")
    ndl.autograd.grad(end.sum(), middle)
    assert Loud.calls == ["after"]


def test_a_branch_that_lost_its_values_does_no_harm_where_it_is_not_needed():
    def program(T, x, y):
        a, b = y * y, x * 2
        z = (a * 1 + b).sum()
        with T.no_grad():
            y.add_(1)  # what a's backward kept is gone
        return T.autograd.grad(z, x)

    same(program, x3, y3)


def test_results_can_be_written_to():
    x, y = leaves(ndl, (x3, y3))
    dx, dy = ndl.autograd.grad((x + y).sum(), (x, y))
    dx.zero_()
    assert dy.tolist() == [1, 1, 1]


def test_batched_gradients_are_named_as_missing():
    (x,) = leaves(ndl, (x3,))
    with pytest.raises(RuntimeError, match="is_grads_batched"):
        ndl.autograd.grad(x * x, x, ndl.ones(2, 3), is_grads_batched=True)
