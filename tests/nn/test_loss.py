"""What all losses share: reductions, their old switches, empty batches, Modules' names and options."""

import numpy as np
import pytest
import torch

import ndl
from ndl.nn import loss
from tests.both import agree, outcome, refused, same

ELEMENTWISE = [
    "mse_loss",
    "l1_loss",
    "smooth_l1_loss",
    "huber_loss",
    "binary_cross_entropy_with_logits",
    "soft_margin_loss",
    "poisson_nll_loss",
    "hinge_embedding_loss",
]
NEW = [name for name in ELEMENTWISE if name != "huber_loss"]  # which never had the old switches
TYPES = ["float16", "float32", "float64", "int64"]
SWITCHES = [(True, None), (False, None), (None, True), (None, False), (True, False), (False, False)]


@pytest.mark.parametrize("name", NEW)
@pytest.mark.parametrize("switches", SWITCHES)
def test_the_old_switches(name, switches) -> None:
    ours, theirs = (
        getattr(T.nn.functional, name)(
            T.tensor([0.3, -2.0]), T.tensor([1.0, -1.0]), size_average=switches[0], reduce=switches[1]
        )
        for T in (ndl, torch)
    )
    np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-6)


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_reductions_that_are_none(name) -> None:
    for T in (ndl, torch):
        with pytest.raises(ValueError, match="average"):
            getattr(T.nn.functional, name)(T.ones(2), T.ones(2), reduction="average")


@pytest.mark.parametrize("name", ELEMENTWISE)
@pytest.mark.parametrize("shape", [(0,), (0, 3), (3, 0)])
def test_empty_batches(name, shape) -> None:
    """The sum is 0 and each loss is there; only the mean, PyTorch's nan, is refused."""
    empty = np.zeros(shape)
    for reduction in ("sum", "none"):
        same(lambda T, x, t, r=reduction: getattr(T.nn.functional, name)(x, t.detach(), reduction=r), empty, empty)
    with pytest.raises(ValueError, match=f"{name}: the batch is empty"):
        getattr(ndl.nn.functional, name)(ndl.zeros(shape), ndl.zeros(shape))


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_a_target_of_nan_is_named(name) -> None:
    with pytest.raises(ValueError, match=r"the target is nan at index \(1,\) \(1 of 3 values\)"):
        getattr(ndl.nn.functional, name)(ndl.zeros(3), ndl.tensor([0.0, float("nan"), 1.0]))


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_numbers_are_no_tensors(name) -> None:
    for T in (ndl, torch):
        with pytest.raises((TypeError, AttributeError)):
            getattr(T.nn.functional, name)(T.ones(2), 1.0)


@pytest.mark.parametrize("name", ELEMENTWISE)
@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
def test_types_stay(name, dtype) -> None:
    for reduction in ("mean", "sum", "none"):
        x = ndl.tensor([0.5, -1.5], dtype=getattr(ndl, dtype), requires_grad=True)
        y = getattr(ndl.nn.functional, name)(x, ndl.tensor([1.0, -1.0], dtype=x.dtype), reduction=reduction)
        y.sum().backward()
        assert y.dtype == x.dtype == x.grad.dtype


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_used_twice_before_one_backward(name) -> None:
    x, t = np.array([0.5, -1.5, 2.5]), np.array([1.0, -1.0, 1.0])

    def program(T, x):
        f = getattr(T.nn.functional, name)
        t_ = T.from_numpy(t)
        return f(x, t_) * 2 + f(x * x, t_, reduction="sum")

    same(program, x)


def test_the_input_may_not_be_written_before_backward() -> None:
    x = ndl.tensor([1.0, 2.0], requires_grad=True) * 1
    y = ndl.nn.functional.mse_loss(x, ndl.zeros(2))
    x.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.backward()


def test_half_precision_means_do_not_overflow() -> None:
    x = ndl.full((300,), 1000.0, dtype=ndl.float16)
    assert ndl.nn.functional.l1_loss(x, ndl.zeros_like(x)).item() == 1000.0


MODULES = [
    lambda nn, w: nn.L1Loss(),
    lambda nn, w: nn.MSELoss(reduction="sum"),
    lambda nn, w: nn.SmoothL1Loss(beta=0.5),
    lambda nn, w: nn.HuberLoss(delta=2),
    lambda nn, w: nn.CrossEntropyLoss(w, label_smoothing=0.1),
    lambda nn, w: nn.NLLLoss(w),
    lambda nn, w: nn.NLLLoss(),
    lambda nn, w: nn.BCELoss(w),
    lambda nn, w: nn.BCEWithLogitsLoss(w, pos_weight=w),
    lambda nn, w: nn.BCEWithLogitsLoss(),
    lambda nn, w: nn.KLDivLoss(reduction="batchmean", log_target=True),
    lambda nn, w: nn.PoissonNLLLoss(full=True),
    lambda nn, w: nn.GaussianNLLLoss(full=True, eps=1e-3),
    lambda nn, w: nn.HingeEmbeddingLoss(0.5),
    lambda nn, w: nn.MarginRankingLoss(margin=0.5),
    lambda nn, w: nn.CosineEmbeddingLoss(0.5),
    lambda nn, w: nn.TripletMarginLoss(2.0, swap=True),
    lambda nn, w: nn.TripletMarginWithDistanceLoss(margin=0.5),
    lambda nn, w: nn.MultiLabelMarginLoss(),
    lambda nn, w: nn.MultiMarginLoss(2, 0.5, w),
    lambda nn, w: nn.SoftMarginLoss(),
    lambda nn, w: nn.MultiLabelSoftMarginLoss(w),
    lambda nn, w: nn.CTCLoss(2, zero_infinity=True),
]


@pytest.mark.parametrize("make", MODULES)
def test_modules_are_pytorchs(make) -> None:
    ours, theirs = (make(T.nn, T.tensor([1.0, 2.0])) for T in (ndl, torch))
    assert repr(ours) == repr(theirs)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    options = {
        k: v for k, v in vars(theirs).items() if not k.startswith("_") and isinstance(v, (bool, int, float, str))
    }
    assert {k: getattr(ours, k) for k in options} == options
    assert isinstance(ours, loss.Loss)


def test_every_loss_of_pytorch_is_here() -> None:
    theirs = {name for name in dir(torch.nn) if name.endswith("Loss")}
    # One Module is not here: a linear layer and a cross-entropy in one.
    assert theirs - set(ndl.nn.__all__) == {"LinearCrossEntropyLoss"}


MIXED = ["huber_loss", "soft_margin_loss", "hinge_embedding_loss", "binary_cross_entropy_with_logits", "mse_loss"]


@pytest.mark.parametrize("name", MIXED)
@pytest.mark.parametrize("types", [(a, b) for a in TYPES for b in TYPES])
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_mixed_types(name, types, reduction) -> None:
    """The type of the loss, or the error, is PyTorch's."""

    def program(T):
        x, t = (T.tensor([[1, 0], [0, 1]]).to(getattr(T, types[0])), T.tensor([1, 0]).to(getattr(T, types[1])))
        y = getattr(T.nn.functional, name)(x, t.expand(2, 2), reduction=reduction)
        return str(y.dtype).split(".")[-1], np.round(y.double().numpy(), 2).tolist()

    agree(lambda T: outcome(lambda: program(T)))


def test_integers() -> None:
    x, t = np.array([1, 3]), np.array([1, -1])
    same(lambda T, x, t: T.nn.functional.hinge_embedding_loss(x, t, 4.7, reduction="sum"), x, t)
    refused(lambda T, x, t: T.nn.functional.hinge_embedding_loss(x, t), x, t)
    refused(lambda T, x, t: T.nn.functional.smooth_l1_loss(x, t, beta=0), x, t)
    same(lambda T, x, t: T.nn.functional.smooth_l1_loss(x, t, beta=0, reduction="sum"), x, t)


def test_a_margins_weight_has_the_inputs_type() -> None:
    refused(
        lambda T, x, t: T.nn.functional.multi_margin_loss(x, t, weight=T.ones(3)), np.ones((2, 3)), np.array([0, 1])
    )
