"""Transforms: inverses, caches, shapes and equality."""

import numpy as np
import pytest
import torch

import ndl

R = ndl.distributions.transforms


def test_a_cache_gives_back_the_very_x_it_came_from() -> None:
    x = ndl.tensor([30.0, -40.0])
    assert not R.TanhTransform().inv(R.TanhTransform()(x)).isfinite().any()  # tanh 30 is 1 in float32
    t = R.TanhTransform(cache_size=1)
    assert t.inv(t(x)) is x
    y = ndl.tensor([0.5])
    assert t(t.inv(y)) is y
    assert t.with_cache(1) is t and t.with_cache(0) is not t and t.inv.with_cache(0).inv == R.TanhTransform()


def test_inverses_of_inverses_and_equality() -> None:
    t = R.ComposeTransform([R.ExpTransform(), R.AffineTransform(1.0, 2.0)])
    assert t.inv.inv is t and R.ExpTransform().inv.inv == R.ExpTransform()
    assert t == R.ComposeTransform([R.ExpTransform(), R.AffineTransform(1.0, 2.0)])
    assert R.AffineTransform(ndl.ones(2), 2.0) == R.AffineTransform(ndl.ones(2), 2.0)
    assert R.AffineTransform(1.0, 2.0) != R.AffineTransform(1.0, 3.0) and R.ExpTransform() != R.TanhTransform()
    x = ndl.randn(3, dtype=ndl.float64)
    np.testing.assert_allclose(t.inv(t(x)), x, rtol=1e-12)


@pytest.mark.parametrize(
    "make",
    [
        lambda R: R.ComposeTransform([R.ExpTransform(), R.AffineTransform(0.0, -2.0, 1)]),
        lambda R: R.ComposeTransform([R.AffineTransform(0.0, -2.0, 1), R.SigmoidTransform()]),
        lambda R: R.IndependentTransform(R.SoftplusTransform(), 2),
        lambda R: R.TanhTransform(),
        lambda R: R.AffineTransform(1.0, -2.0, 1),
        lambda R: R.identity_transform,
    ],
)
def test_domains_signs_and_shapes_are_pytorchs(make) -> None:
    ours, theirs = make(ndl.distributions.transforms), make(torch.distributions.transforms)
    for a, b in ((ours, theirs), (ours.inv, theirs.inv)):
        assert a.bijective == b.bijective and a.sign == b.sign
        assert (a.domain.event_dim, a.codomain.event_dim) == (b.domain.event_dim, b.codomain.event_dim)
        assert tuple(a.forward_shape((2, 3))) == tuple(b.forward_shape((2, 3)))
        assert tuple(a.inverse_shape((2, 3))) == tuple(b.inverse_shape((2, 3)))


def test_what_is_not_one_to_one_has_no_jacobian() -> None:
    t = R.AbsTransform()
    assert not t.bijective and t.inv(ndl.ones(1)) == 1
    with pytest.raises(NotImplementedError):
        t.log_abs_det_jacobian(ndl.ones(1), ndl.ones(1))
    with pytest.raises(NotImplementedError):
        assert t.sign


def test_too_few_dimensions_are_refused() -> None:
    t = R.IndependentTransform(R.ExpTransform(), 2)
    for run in (t, t.inv):
        with pytest.raises(ValueError, match="Too few dimensions on input: 1, wanted 2 or more"):
            run(ndl.ones(3))
