"""no_grad, enable_grad, set_grad_enabled, inference_mode: as contexts, decorators and calls, as PyTorch's."""

import numpy as np
import pytest
import torch

import ndl
from tests.both import agree, outcome, same


@pytest.fixture(autouse=True)
def recording_is_on_before_and_after():
    assert ndl.is_grad_enabled() and not ndl.is_inference_mode_enabled()
    yield
    assert ndl.is_grad_enabled() and not ndl.is_inference_mode_enabled()


SWITCHES = {
    "no_grad": lambda T: T.no_grad(),
    "enable_grad": lambda T: T.enable_grad(),
    "set_grad_enabled(True)": lambda T: T.set_grad_enabled(True),
    "set_grad_enabled(False)": lambda T: T.set_grad_enabled(False),
    "inference_mode": lambda T: T.inference_mode(),
    "inference_mode(False)": lambda T: T.inference_mode(False),
}
each = pytest.mark.parametrize("name", SWITCHES)
pairs = pytest.mark.parametrize("outer", SWITCHES)


def now(T):
    return T.is_grad_enabled(), T.is_inference_mode_enabled()


def recorded(T):
    x = T.ones(2, requires_grad=not T.is_inference_mode_enabled())
    return (x * 2).requires_grad


@each
@pairs
def test_nested_contexts(outer, name):
    def program(T):
        seen = [now(T)]
        with SWITCHES[outer](T):
            seen.append((now(T), recorded(T)))
            with SWITCHES[name](T):
                seen.append((now(T), recorded(T)))
            seen.append((now(T), recorded(T)))
        return [*seen, now(T)]

    agree(program)


@each
def test_an_exception_restores_the_state(name):
    def program(T):
        with pytest.raises(KeyError), SWITCHES[name](T):
            raise KeyError
        return now(T)

    assert agree(program) == (True, False)


@each
@pairs
def test_decorated_functions(outer, name):
    def program(T):
        @SWITCHES[name](T)
        def f(a, *, b):
            """Its text."""
            return now(T), recorded(T), a, b

        with SWITCHES[outer](T):
            inside = f(1, b=2)
        return now(T), inside, f(3, b=4), f(5, b=6), f.__name__, f.__doc__

    agree(program)


@each
def test_a_decorated_function_that_raises(name):
    def program(T):
        @SWITCHES[name](T)
        def f():
            raise KeyError

        with pytest.raises(KeyError):
            f()
        return now(T)

    assert agree(program) == (True, False)


@pytest.mark.parametrize("name", ["no_grad", "enable_grad", "inference_mode"])
def test_decorators_without_parentheses(name):
    def program(T):
        @getattr(T, name)
        def f(x):
            return x, now(T)

        return f(1), now(T)

    agree(program)


def test_set_grad_enabled_as_a_call():
    def program(T):
        seen = []
        T.set_grad_enabled(False)
        seen.append(now(T))
        with T.enable_grad():
            T.set_grad_enabled(False)
            seen.append(now(T))
        seen.append(now(T))
        T.set_grad_enabled(True)
        with T.set_grad_enabled(False):
            seen.append(now(T))
        return [*seen, now(T)]

    agree(program)


@each
def test_decorated_generators(name):
    """Inside the state is switched, between steps it is the caller's; send, throw and close pass on."""

    def program(T):
        seen = []

        @SWITCHES[name](T)
        def g(n):
            try:
                for i in range(n):
                    try:
                        seen.append(("got", (yield i, now(T)), now(T)))
                    except KeyError:
                        seen.append(("caught", now(T)))
                return "end"
            finally:
                seen.append(("closed", now(T)))

        seen += [(item, now(T)) for item in g(2)]
        steps = g(9)
        seen.append(next(steps))
        seen.append(steps.send("sent"))
        seen.append(steps.throw(KeyError()))
        with T.no_grad():
            seen.append(next(steps))
        steps.close()
        seen.append(now(T))
        other = g(3)
        next(other)
        with pytest.raises(IndexError):
            other.throw(IndexError())
        seen.append(now(T))

        def delegating():
            seen.append((yield from g(1)))

        return list(delegating()), seen, now(T)

    agree(program)


def test_without_recording_nothing_is_kept():
    def program(T, x):
        with T.no_grad():
            y = x * x
            z = T.ones(3, dtype=T.float64, requires_grad=True)
            w = z * 2
        flags = [y.requires_grad, y.is_leaf, y.grad_fn is None, z.requires_grad, w.requires_grad, w.is_leaf]
        return T.tensor(flags), y * x

    same(program, np.array([1.0, 2.0, 3.0]))


def test_leaves_may_be_written_without_recording():
    def program(T, x):
        before = (x * 2).sum()
        with T.no_grad():
            x.mul_(3)
            x += 1
            x[0] = 7
        before.backward()
        return x.grad, (x * x).sum()

    same(program, np.array([1.0, 2.0, 3.0]))


def test_backward_works_without_recording_and_leaves_the_state_alone():
    def program(T, x):
        y = (x * x).sum()
        with T.no_grad():
            y.backward()
            T.autograd.backward((x * 1).detach().requires_grad_(), T.ones_like(x))
            assert not T.is_grad_enabled()
        return x.grad

    same(program, np.array([1.0, 2.0, 3.0]))


def test_create_graph_works_without_recording():
    def program(T, x):
        y = (x * x * x).sum()
        with T.no_grad():
            (g,) = T.autograd.grad(y, x, create_graph=True)
        return g

    same(program, np.array([1.0, 2.0, 3.0]))


class TestInferenceMode:
    """What may be done with a tensor from inference mode."""

    def test_flags(self):
        def program(T):
            x = T.ones(3, requires_grad=True)
            with T.inference_mode():
                made, view, detached, copy = x * 2, x[:2], x.detach(), x.clone()
                inside = T.ones(2)
            tensors = [x, made, view, detached, copy, inside]
            outside = [made * 2, made[:1], made.clone(), made.detach(), inside + 1]
            return [(t.is_inference(), t.requires_grad) for t in tensors + outside if t is not view]

        agree(program)

    def test_what_is_refused(self):
        def program(T):
            x = T.ones(3, requires_grad=True)
            with T.inference_mode():
                a = T.ones(3)
                a.add_(1)
            return [
                outcome(lambda: bool((x * a).requires_grad)),
                outcome(lambda: bool((x + a).requires_grad)),
                outcome(lambda: a.requires_grad_().tolist()),
                outcome(lambda: a.clone().requires_grad_().tolist()),
                outcome(lambda: (a.clone().add_(1) * x).tolist()),
                outcome(lambda: a.add_(1).tolist()),
                outcome(lambda: a[:2].add_(1).tolist()),
            ]

        agree(program)

    def test_normal_tensors_may_be_written_inside(self):
        def program(T):
            x = T.ones(3, requires_grad=True)
            y = x * 2
            z = y * y
            plain = T.ones(3)
            with T.inference_mode():
                plain.add_(1)
                y.add_(1)
            return plain.tolist(), y.tolist(), outcome(lambda: z.sum().backward())

        agree(program)

    def test_gradients_inside(self):
        def program(T):
            with T.inference_mode():
                x = T.ones(3, requires_grad=True)
                y = x * 2
                with T.enable_grad():
                    z = x * 2
            return x.requires_grad, y.requires_grad, z.requires_grad

        agree(program)


def test_the_state_is_a_threads_own():
    import threading

    def program(T):
        seen = {}

        def other():
            seen["new thread"] = now(T)
            with T.inference_mode():
                seen["its own"] = now(T)
                inside.set()
                done.wait(10)
            seen["restored"] = now(T)

        inside, done = threading.Event(), threading.Event()
        with T.no_grad():
            thread = threading.Thread(target=other)
            thread.start()
            inside.wait(10)
            seen["here"] = now(T)
            done.set()
            thread.join()
        seen["after"] = now(T)
        return seen

    agree(program)


def test_switches_say_what_they_are():
    assert isinstance(torch.no_grad(), torch.no_grad)
    assert isinstance(ndl.no_grad(), ndl.no_grad)
    assert isinstance(ndl.inference_mode(), ndl.inference_mode)
