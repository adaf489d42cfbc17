"""Where a tensor stands: leaf or not, detached, retaining its gradient, asking for gradients or not."""

import copy
import pickle

import numpy as np
import pytest

import ndl
from tests.both import agree, leaves, outcome, refused, same

x3 = np.array([0.5, -1.0, 2.0])


def state(t):
    return t.requires_grad, t.is_leaf, t.grad_fn is None, t.retains_grad


def test_is_leaf():
    def program(T):
        x = T.ones(3, requires_grad=True)
        plain = T.ones(3)
        y = x * 2
        tensors = [x, plain, y, plain * 2, y.detach(), x[0], plain[0], x.clone(), x.detach().requires_grad_()]
        return [state(t) for t in tensors]

    agree(program)


def test_requires_grad_():
    def program(T):
        x, y = T.ones(3), T.ones(3, requires_grad=True) * 2
        whole = T.ones(3, dtype=T.int64)
        seen = [state(x.requires_grad_()), x.requires_grad_() is x, state(x.requires_grad_(False))]
        x.requires_grad = True
        seen.append(state(x))
        seen.append(outcome(lambda: state(y.requires_grad_())))
        seen.append(outcome(lambda: state(y.requires_grad_(False))))
        seen.append(outcome(lambda: setattr(y, "requires_grad", False)))
        seen.append(outcome(lambda: state(whole.requires_grad_())))
        seen.append(outcome(lambda: state(whole.requires_grad_(False))))
        seen.append(outcome(lambda: T.tensor([1, 2], requires_grad=True)))
        return seen

    agree(program)


def test_freezing_one_of_two():
    def program(T, x, y):
        y.requires_grad_(False)
        z = (x * y).sum()
        y.requires_grad_(True)
        z.backward()
        return x.grad, T.tensor(y.grad is None)

    same(program, x3, x3 + 1)


class TestDetach:
    def test_no_gradient_passes(self):
        same(lambda T, x: x * x.detach(), x3)
        same(lambda T, x: (x * 2).detach() * x, x3)

    def test_memory_is_shared(self):
        def program(T, x):
            y = x * 1
            d = y.detach()
            d[0] = 7
            return y

        same(program, x3)

    def test_writing_to_it_is_noticed(self):
        def program(T, x):
            y = x * x
            x.detach().mul_(2)
            return y

        assert "modified by an inplace operation" in refused(program, x3)

    def test_writing_to_data_is_not(self):
        def program(T, x):
            y = x * x
            x.data.mul_(2)
            return y

        same(program, x3)

    def test_detach_of_the_tensor_itself(self):
        def program(T, x):
            y = x * 2
            z = y + 1
            same_object = y.detach_()
            flags = [same_object is y, y.requires_grad, y.is_leaf, y.grad_fn is None]
            y.requires_grad_()
            return T.tensor(flags), z, y * 3

        same(program, x3)

    def test_a_view_cannot_be_detached_in_place(self):
        refused(lambda T, x: (x * 2)[:2].detach_(), x3)

    def test_a_detached_tensor_gets_its_own_history(self):
        def program(T, x, w):
            y = x * 1
            d = y.detach()
            d.mul_(w)
            return y, d

        same(program, x3, x3 + 2)


class TestRetainGrad:
    def test_of_intermediate_results(self):
        def program(T, x):
            y = x * 2
            z = y * y
            y.retain_grad()
            z.retain_grad()
            y.retain_grad()  # a second call does nothing
            (z * y).sum().backward()
            return y.grad, z.grad, x.grad

        same(program, x3)

    def test_it_adds_up(self):
        def program(T, x):
            y = x * 2
            y.retain_grad()
            loss = (y * y).sum()
            loss.backward(retain_graph=True)
            loss.backward()
            return y.grad

        same(program, x3)

    def test_of_a_leaf_it_does_nothing(self):
        def program(T):
            x = T.ones(3, requires_grad=True)
            x.retain_grad()
            return state(x)

        agree(program)

    def test_without_gradients_it_is_refused(self):
        refused(lambda T, x: x.detach().retain_grad(), x3)

    def test_the_gradient_after_a_write_in_place(self):
        def program(T, x):
            y = x * 2
            y.retain_grad()
            y.mul_(3)
            (y * y).sum().backward()
            return y.grad, x.grad

        same(program, x3)

    def test_of_a_view(self):
        def program(T, x):
            y = x * 2
            v = y[1:]
            v.retain_grad()
            (v * v).sum().backward()
            return v.grad, x.grad

        same(program, x3)

    def test_with_create_graph(self):
        def program(T, x):
            y = x * x
            y.retain_grad()
            (y * y).sum().backward(create_graph=True)
            return y.grad, x.grad

        same(program, x3)

    def test_of_a_tensor_that_is_gone(self):
        def program(T, x):
            y = x * 2
            y.retain_grad()
            loss = (y * y).sum()
            del y
            loss.backward()
            return x.grad

        same(program, x3)


class TestCopies:
    def test_deepcopy_of_a_leaf(self):
        def program(T):
            (x,) = leaves(T, (x3,))
            (x * x).sum().backward()
            y = copy.deepcopy(x)
            with T.no_grad():
                y.add_(1)
                y.grad.add_(1)
            y.requires_grad_(False)
            return x.tolist(), x.grad.tolist(), y.tolist(), y.grad.tolist(), x.requires_grad, y.requires_grad

        agree(program)

    def test_deepcopy_keeps_what_was_shared(self):
        def program(T):
            (x,) = leaves(T, (x3,))
            a, b = copy.deepcopy([x, x])
            return a is b, a is x

        assert agree(program) == (True, False)

    def test_deepcopy_of_a_result_is_refused(self):
        refused(lambda T, x: copy.deepcopy(x * 2), x3)

    @pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "bool"])
    @pytest.mark.parametrize("shape", [(), (3,), (2, 3), (0, 2)])
    def test_pickle(self, shape, dtype):
        values = (np.arange(np.prod(shape)) * 0.75).reshape(shape).astype(dtype)
        for requires_grad in (False, True)[: 1 + (values.dtype.kind == "f")]:
            x = ndl.from_numpy(values).requires_grad_(requires_grad)
            y = pickle.loads(pickle.dumps(x))
            assert type(y) is ndl.Tensor and y.dtype == x.dtype and y.shape == x.shape
            assert y.tolist() == x.tolist() and y.requires_grad == requires_grad and y.is_leaf

    def test_pickle_of_a_view_keeps_only_its_own_elements(self):
        x = ndl.zeros(1000)
        assert len(pickle.dumps(x[:2])) < 1000
        y = pickle.loads(pickle.dumps(ndl.arange(6).reshape(2, 3).t()))
        assert y.tolist() == [[0, 3], [1, 4], [2, 5]]

    def test_a_loaded_tensor_can_be_trained(self):
        x = pickle.loads(pickle.dumps(ndl.ones(3, requires_grad=True)))
        (x * 2).sum().backward()
        with ndl.no_grad():
            x += x.grad
        assert x.tolist() == [3, 3, 3]

    def test_pickle_of_a_result_is_refused(self):
        (x,) = leaves(ndl, (x3,))
        with pytest.raises(RuntimeError, match=r"detach\(\)"):
            pickle.dumps(x * 2)


def test_data_can_be_replaced():
    def program(T, x):
        x.data = T.tensor([1.0, 2.0, 3.0], dtype=T.float64)
        return x * x

    same(program, x3)


def test_data_that_was_replaced_is_still_the_data_that_was_used():
    """PyTorch differentiates x² at the new values here, without a word."""
    (x,) = leaves(ndl, (x3,))
    y = x * x
    x.data = ndl.zeros(3, dtype=ndl.float64)
    y.sum().backward()
    assert x.grad.tolist() == (2 * x3).tolist()


def test_a_tensor_is_hashable_by_identity():
    def program(T):
        x, y = T.ones(3), T.ones(3)
        return len({x, y, x}), {x: 1}[x], x in [x], hash(x) == hash(x)

    agree(program)
