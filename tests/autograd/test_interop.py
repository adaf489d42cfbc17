"""In and out without a copy: NumPy arrays, the array protocols, DLPack; and NumPy's functions on tensors."""

import numpy as np
import pytest
import torch

import ndl
from tests.both import agree, leaves, outcome, same

x23 = np.array([[0.5, -1.0, 2.0], [1.5, 0.25, -0.75]])
TYPES = ["float64", "float32", "float16", "int64", "int32", "int16", "int8", "uint8", "bool"]


def shares(a, b):
    return np.shares_memory(a, b)


class TestZeroCopy:
    @pytest.mark.parametrize("dtype", TYPES)
    @pytest.mark.parametrize("shape", [(), (3,), (2, 3), (0, 3)])
    def test_from_numpy_and_back(self, shape, dtype):
        a = np.ones(shape, dtype)
        t = ndl.from_numpy(a)
        assert t.numpy() is a or shares(t.numpy(), a) or a.size == 0
        assert t.numpy().dtype == a.dtype and t.shape == a.shape
        if a.size:
            a[...] = 0
            assert not t.numpy().any()

    @pytest.mark.parametrize("layout", [lambda a: a.T, lambda a: a[::2], lambda a: a[:, 1:], lambda a: a[None]])
    def test_any_layout(self, layout):
        a = layout(np.arange(12.0).reshape(4, 3))
        t = ndl.from_numpy(a)
        assert shares(t.numpy(), a) and t.numpy().strides == a.strides
        assert t.stride() == torch.from_numpy(a).stride()

    def test_writes_are_seen_on_both_sides(self):
        a = np.zeros(3)
        t = ndl.from_numpy(a)
        t[0] = 1
        t.add_(1)
        a[2] = 5
        assert a.tolist() == t.tolist() == [2, 1, 5]

    def test_views_share_too(self):
        a = np.zeros((2, 3))
        t = ndl.from_numpy(a)
        t.t()[1].fill_(4)
        t.view(-1)[0] = 7
        assert a.tolist() == [[7, 4, 0], [0, 4, 0]]

    def test_as_tensor_and_tensor(self):
        a = np.zeros(3)
        assert shares(ndl.as_tensor(a).numpy(), a)
        assert shares(ndl.asarray(a).numpy(), a)
        assert not shares(ndl.tensor(a).numpy(), a)
        assert not shares(ndl.as_tensor(a, dtype=ndl.float32).numpy(), a)

    def test_the_array_protocol(self):
        t = ndl.zeros(3)
        assert shares(np.asarray(t), t.numpy())
        assert shares(np.array(t, copy=None), t.numpy())
        assert not shares(np.array(t), t.numpy())
        assert not shares(np.asarray(t, dtype=np.float64), t.numpy())
        assert np.asarray(t, dtype=np.float64).dtype == np.float64
        assert shares(np.asarray(t, copy=False), t.numpy())
        with pytest.raises(ValueError, match="copy=False"):
            np.asarray(t, dtype=np.float64, copy=False)

    def test_tensors_that_ask_for_gradients_are_not_handed_out(self):
        def program(T):
            (x,) = leaves(T, (x23,))
            return [
                outcome(lambda: x.numpy().tolist()),
                outcome(lambda: (x * 2).numpy().tolist()),
                outcome(lambda: np.asarray(x).tolist()),
                outcome(lambda: x.detach().numpy().tolist()),
                outcome(lambda: x.numpy(force=True).tolist()),
                outcome(lambda: x.tolist()),
            ]

        agree(program)

    def test_lists_of_tensors(self):
        t = [ndl.tensor(1.0), ndl.tensor(2.0)]
        assert np.array(t).tolist() == [1, 2]
        assert ndl.tensor([[1.0, 2.0], [3.0, 4.0]]).numpy().tolist() == [[1, 2], [3, 4]]


class TestDLPack:
    @pytest.mark.parametrize("dtype", TYPES)
    def test_numpy_both_ways(self, dtype):
        a = np.ones((2, 3), dtype)
        t = ndl.from_dlpack(a)
        assert shares(t.numpy(), a) and t.numpy().dtype == a.dtype
        b = np.from_dlpack(t)
        assert shares(b, a) and b.dtype == a.dtype

    @pytest.mark.parametrize("dtype", TYPES)
    def test_torch_both_ways(self, dtype):
        p = torch.ones((2, 3), dtype=getattr(torch, dtype))
        t = ndl.from_dlpack(p)
        p.zero_()
        assert not t.numpy().any() and t.numpy().dtype == p.numpy().dtype
        q = torch.from_dlpack(ndl.from_numpy(t.numpy()))
        t.numpy()[...] = 1
        assert q.bool().all() and p.bool().all()

    def test_strides_are_kept(self):
        a = np.arange(12.0).reshape(4, 3).T
        assert ndl.from_dlpack(a).stride() == torch.from_dlpack(a).stride() == (1, 3)
        assert torch.from_dlpack(ndl.from_numpy(a)).stride() == (1, 3)

    def test_tensors_that_ask_for_gradients_are_refused(self):
        (x,) = leaves(ndl, (x23,))
        with pytest.raises((RuntimeError, BufferError)):
            np.from_dlpack(x)
        assert shares(np.from_dlpack(x.detach()), x.detach().numpy())

    def test_the_device(self):
        assert ndl.ones(3).__dlpack_device__() == torch.ones(3).__dlpack_device__()


class TestNumPyFunctions:
    """NumPy asks the tensor, and the tensor answers with the differentiable twin."""

    @pytest.mark.parametrize(
        "f",
        [
            np.exp,
            np.tanh,
            np.sin,
            np.square,
            np.negative,
            np.abs,
            lambda x: np.add(x, x),
            lambda x: np.multiply(x, 3.0),
            lambda x: np.sum(x, axis=0),
            lambda x: np.sum(x, axis=(0, 1), keepdims=True),
            lambda x: np.mean(x, axis=1),
            lambda x: np.where(x23 > 0, x, 0.0),
            lambda x: np.matmul(x, x23.T),
            lambda x: np.sqrt(x * x + 1),
            lambda x: np.log(x * x + 1),
            lambda x: np.maximum(x, 0.1),
            lambda x: np.transpose(x),
            lambda x: np.reshape(x, (3, 2)),
        ],
    )
    def test_gradients_pass(self, f):
        (x,) = leaves(ndl, (x23,))
        y = f(x)
        assert isinstance(y, ndl.Tensor) and y.requires_grad
        np.testing.assert_allclose(y.detach().numpy(), f(x23), rtol=1e-12)
        assert ndl.autograd.gradcheck(f, (x,))

    @pytest.mark.parametrize(
        "program",
        [
            lambda T, x, a: x * a,
            lambda T, x, a: x + a,
            lambda T, x, a: x - a,
            lambda T, x, a: x / (a + 10),
        ],
    )
    def test_a_tensor_and_an_array(self, program):
        (x,) = leaves(ndl, (x23,))
        a = np.arange(3.0)
        ours = program(ndl, x, a)
        assert isinstance(ours, ndl.Tensor) and ours.requires_grad
        np.testing.assert_allclose(ours.detach().numpy(), program(None, x23, a))

    @pytest.mark.parametrize("op", ["__add__", "__sub__", "__mul__", "__truediv__", "__matmul__", "__pow__"])
    def test_an_array_and_a_tensor(self, op):
        """``array * t`` must not take the tensor for a sequence of numbers."""
        (x,) = leaves(ndl, (np.abs(x23) + 0.5,))
        a = np.arange(6.0).reshape((3, 2) if op == "__matmul__" else (2, 3)) + 1
        y = {
            "__add__": lambda x: a + x,
            "__sub__": lambda x: a - x,
            "__mul__": lambda x: a * x,
            "__truediv__": lambda x: a / x,
            "__matmul__": lambda x: a @ x,
            "__pow__": lambda x: a**x,
        }[op]
        assert isinstance(y(x), ndl.Tensor) and y(x).requires_grad
        assert ndl.autograd.gradcheck(y, (x,))

    def test_numpy_numbers(self):
        same(lambda T, x: np.float64(2.0) * x if T is ndl else 2.0 * x, x23)
        same(lambda T, x: x * np.float64(2.0) + np.int64(3), x23)

    @pytest.mark.parametrize("f", [np.linalg.svd, np.fft.fft, np.i0, np.gradient, np.percentile])
    def test_where_a_gradient_would_be_lost_it_raises(self, f):
        (x,) = leaves(ndl, (x23,))
        arguments = (50,) if f is np.percentile else ()
        with pytest.raises(TypeError, match=r"np\..* has no differentiable twin"):
            f(x, *arguments)
        f(x.detach(), *arguments)
        with ndl.no_grad():
            f(x, *arguments)

    def test_ufunc_methods_and_out(self):
        (x,) = leaves(ndl, (x23,))
        with pytest.raises(TypeError, match="no differentiable twin"):
            np.add.reduce(x)
        assert np.add.reduce(x.detach()).tolist() == x23.sum(0).tolist()
        with pytest.raises(TypeError, match="out=Tensor"):
            np.add(x23, x23, out=x.detach())

    def test_inside_containers(self):
        (x,) = leaves(ndl, (x23,))
        y = np.concatenate([x, x * 2])
        assert isinstance(y, ndl.Tensor) and y.requires_grad
        assert np.stack([x, x]).shape == (2, 2, 3)


def test_iteration_and_unpacking():
    def program(T, x):
        a, b = x
        total = sum(row.sum() for row in x)
        return a * b, total

    same(program, x23)


def test_import_of_other_libraries_is_not_needed():
    import subprocess
    import sys

    code = "import ndl, sys; assert not {'torch', 'scipy', 'matplotlib'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
