import numpy as np
import pytest

import ndl
from tests.both import agree, refused, same
from tests.ops.raising import check, refusals
from tests.proof import proof

test_parity, test_numeric, test_second = proof("ops.max_min")

X = np.array([[1.0, 3.0, 3.0], [2.0, 2.0, 2.0]])


def test_three_forms_of_max():
    same(
        lambda T, x: (x.max(), T.max(x, 1), x.max(dim=0, keepdims=True), x.max(x * 2 - 3), T.max(input=x, other=-x)), X
    )
    same(lambda T, x: (x.min(), T.min(x, 1, True), x.min(axis=0), x.min(x * 2 - 3), T.min(x, other=-x)), X)


def test_results_have_names():
    t = ndl.from_numpy(X)
    found = t.max(1)
    values, indices = found
    assert found.values is values is found[0] and found.indices is indices
    assert isinstance(found, tuple) and type(found) is type(t.max(0)) and type(found).__name__ == "max"
    assert repr(found) == f"ndl.return_types.max(\nvalues={values!r},\nindices={indices!r})"
    assert t.aminmax().min.item() == 1 and t.aminmax().max.item() == 3
    assert isinstance(ndl.max(X, 1).indices, np.ndarray)  # plain arrays in, plain arrays out


def test_ties():
    x = ndl.from_numpy(X.copy()).requires_grad_()
    gradients = []
    for f in (lambda x: x.max(), lambda x: x.amax(1).sum(), lambda x: x.max(1).values.sum(), lambda x: x.amin()):
        x.grad = None
        f(x).backward()
        gradients.append(x.grad.tolist())
    third = 1 / 3
    assert gradients == [
        [[0, 0.5, 0.5], [0, 0, 0]],
        [[0, 0.5, 0.5], [third, third, third]],
        [[0, 1, 0], [1, 0, 0]],
        [[1, 0, 0], [0, 0, 0]],
    ]


def test_infinities_nan_and_no_dimensions():
    w = np.array([[1.0, np.nan, -np.inf], [0.0, np.inf, 3.0], [np.nan] * 3, [-np.inf] * 3])
    same(lambda T, x: (x.max(), x.min(1), x.amax(0), x.amin(1), x.argmax(1), x.argmin(0), x.aminmax(dim=1)), w)
    same(lambda T, z: (z.max(), z.max(0), z.min(-1, True), z.amax(0), z.argmax(0), z.aminmax(dim=0)), np.array(2.0))


def test_empty():
    agree(lambda T: [list(t.shape) for t in (*T.zeros(0, 2).max(1), T.zeros(2, 0).amin(0), T.zeros(0, 2).argmax(1))])
    refused(lambda T, x: x[:0].max(), X)
    refused(lambda T, x: x[:0].amax(), X)
    refused(lambda T, x: x[:0].aminmax(), X)
    for program in (
        lambda T, x: x[:0].max(0),
        lambda T, x: x[:, :0].amin(1),
        lambda T, x: x[:0].argmax(),
        lambda T, x: x[:0].argmin(0),
    ):
        assert "reduc" in refused(program, X, error=IndexError)


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int32", "float16", "float32"])
def test_types_stay(dtype: str) -> None:
    def result(T):
        x = T.from_numpy(X).to(getattr(T, dtype))
        return [(str(t.dtype).split(".")[-1], t.tolist()) for t in (x.max(), *x.min(0), x.amax(1), *x.aminmax())]

    agree(result)


def test_what_may_be_written_in_place_afterwards():
    def change(f, what):
        def program(T, x):
            y = x * 2
            z = f(y)
            {"input": y, "result": z, "indices": z[1]}[what].add_(1)
            return f(x), z

        return program

    same(change(lambda y: y.max(1), "input"), X)  # it keeps the places only
    same(lambda T, x: (x * 2).max(1).values.add_(1), X)
    refused(change(lambda y: y.max(1), "indices"), X)
    refused(change(lambda y: y.max().reshape(1).expand(2), "input"), X)
    refused(change(lambda y: y.amax(1), "input"), X)
    refused(change(lambda y: y.amin(1), "result"), X)


def test_layouts():
    same(
        lambda T, x: (
            x.t().max(0),
            x[:, ::2].amax(1),
            x.expand(4, 2, 3).max(0),
            x.flip(0).min(0),
            x.expand(4, 2, 3).max(),
        ),
        X,
    )


def test_names_of_numpy():
    t = ndl.from_numpy(X).requires_grad_()
    np.max(t, axis=1).sum().backward()
    assert t.grad.tolist() == [[0, 0.5, 0.5], [1 / 3] * 3]
    assert np.argmax(t, axis=1).tolist() == [1, 0]


@refusals(
    (lambda T, x, z: x.max(2), "Dimension out of range (expected to be in range of [-2, 1], but got 2)"),
    (lambda T, x, z: x.amax((0, 0)), "dim 0 appears multiple times"),
    (lambda T, x, z: x.max(1.5), "float"),
    (lambda T, x, z: x.max("a"), "str"),
    (lambda T, x, z: T.max(1), "max(): argument 'input' (position 1) must be Tensor, not int"),
    (lambda T, x, z: x.max(0, 1), "argument 'keepdim' (position 2) must be bool, not int"),
    (lambda T, x, z: x.bool().argmax(), "does not support bool input"),
    (lambda T, x, z: x.argmin(-3), "Dimension out of range"),
    (lambda T, x, z: x.aminmax(0), "positional argument"),
)
def test_refused(program, message):
    check(program, message)
