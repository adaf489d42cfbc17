"""What RNN, LSTM and GRU share: names, initial values, errors, packing, threads; truths beyond the protocol."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch

import ndl
from ndl.kernels import recurrent, threads
from ndl.nn.utils import rnn
from ndl.verify.case import Draw
from ndl.verify.numeric import differentiable
from ndl.verify.registry import all_cases
from tests.both import agree, outcome

KINDS = ["RNN", "LSTM", "GRU"]
OPTIONS = [
    {},
    {"num_layers": 2, "bidirectional": True, "dropout": 0.5},
    {"bias": False, "batch_first": True},
]


def pair(kind, *args, **options):
    """The same block in ndl and in PyTorch, each made under the same seed."""
    made = []
    for T in (ndl, torch):
        T.manual_seed(7)
        made.append(getattr(T.nn, kind)(*args, **options))
    return made


def zeros(T, kind, *shape):
    return (T.zeros(*shape), T.zeros(*shape)) if kind.startswith("LSTM") else T.zeros(*shape)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("options", OPTIONS)
def test_names_initial_values_and_repr_are_pytorchs(kind, options):
    ours, theirs = pair(kind, 3, 5, **options)
    assert repr(ours) == repr(theirs)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    for name, p in theirs.named_parameters():
        np.testing.assert_array_equal(ours.get_parameter(name).detach().numpy(), p.detach().numpy())
    assert [[tuple(p.shape) for p in ps] for ps in ours.all_weights] == [
        [tuple(p.shape) for p in ps] for ps in theirs.all_weights
    ]
    ours.flatten_parameters()


def test_projection_has_its_own_weight():
    ours, theirs = pair("LSTM", 3, 5, 2, proj_size=2, bidirectional=True)
    assert repr(ours) == repr(theirs) and list(ours.state_dict()) == list(theirs.state_dict())
    assert tuple(ours.weight_hr_l1_reverse.shape) == (2, 5)


@pytest.mark.parametrize("kind", ["RNNCell", "LSTMCell", "GRUCell"])
def test_cells_are_pytorchs(kind):
    ours, theirs = pair(kind, 3, 5, bias=False)
    assert repr(ours) == repr(theirs)
    for name, p in theirs.named_parameters():
        np.testing.assert_array_equal(ours.get_parameter(name).detach().numpy(), p.detach().numpy())
    assert list(ours.state_dict()) == list(theirs.state_dict())
    y = ours(ndl.zeros(0, 3))  # an empty batch
    assert tuple((y[0] if kind == "LSTMCell" else y).shape) == (0, 5)


@pytest.mark.parametrize("kind", KINDS)
def test_a_network_is_its_cell_step_by_step(kind):
    ndl.manual_seed(0)
    net, cell = getattr(ndl.nn, kind)(3, 4), getattr(ndl.nn, kind + "Cell")(3, 4)
    cell.load_state_dict({name.removesuffix("_l0"): p for name, p in net.state_dict().items()})
    x = ndl.randn(6, 2, 3)
    y, _ = net(x)
    state = None
    for t in range(6):
        state = cell(x[t], state)
        h = state[0] if kind == "LSTM" else state
        np.testing.assert_allclose(h.detach().numpy(), y[t].detach().numpy(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_a_sequence_in_two_parts_is_one_sequence(kind):
    net = getattr(ndl.nn, kind)(3, 4, 2).double()
    x = ndl.randn(7, 2, 3, dtype=ndl.float64)
    whole, end = net(x)
    first, state = net(x[:3])
    second, end_of_parts = net(x[3:], state)
    np.testing.assert_allclose(ndl.cat([first, second]).detach().numpy(), whole.detach().numpy(), atol=1e-14)
    for a, b in zip(end if kind == "LSTM" else [end], end_of_parts if kind == "LSTM" else [end_of_parts]):
        np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), atol=1e-14)


@pytest.mark.parametrize("kind", KINDS)
def test_packed_sequences_are_those_of_each_alone(kind):
    net = getattr(ndl.nn, kind)(3, 4, 2, bidirectional=True).double()
    parts = [ndl.randn(n, 3, dtype=ndl.float64) for n in (2, 5, 1, 5)]
    y, ends = net(rnn.pack_sequence(parts, enforce_sorted=False))
    ends = ends if kind == "LSTM" else [ends]
    for b, (got, x) in enumerate(zip(rnn.unpack_sequence(y), parts)):
        alone, end = net(x)
        np.testing.assert_allclose(got.detach().numpy(), alone.detach().numpy(), atol=1e-14)
        for e, one in zip(ends, end if kind == "LSTM" else [end]):
            np.testing.assert_allclose(e[:, b].detach().numpy(), one.detach().numpy(), atol=1e-14)


@pytest.mark.parametrize("kind", KINDS)
def test_threads_change_nothing_but_the_last_digits(kind, monkeypatch):
    monkeypatch.setattr(recurrent, "WORTH_A_THREAD", 1)
    net = getattr(ndl.nn, kind)(6, 9, bidirectional=True).double()
    lengths = [5 - b % 5 for b in range(35)]
    x = ndl.randn(35, 5, 6, dtype=ndl.float64)
    before = threads.get_num_threads()
    found = []
    try:
        for n in (1, 3):
            threads.set_num_threads(n)
            x.requires_grad_().grad = None
            net.zero_grad()
            packed = rnn.pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
            y, _ = net(packed)
            (y.data * y.data).sum().backward()
            found.append([t.detach().numpy().copy() for t in (y.data, x.grad, *[p.grad for p in net.parameters()])])
    finally:
        threads.set_num_threads(before)
    for one, three in zip(*found):
        np.testing.assert_allclose(one, three, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("kind", KINDS)
def test_used_twice_before_one_backward_and_the_graph_kept(kind):
    net = getattr(ndl.nn, kind)(2, 3).double()
    x, z = ndl.randn(4, 2, 2, dtype=ndl.float64), ndl.randn(3, 2, 2, dtype=ndl.float64)

    def gradients(*inputs):
        net.zero_grad()
        sum(net(i)[0].sum() for i in inputs).backward()
        return [p.grad.numpy().copy() for p in net.parameters()]

    for both, a, b in zip(gradients(x, z), gradients(x), gradients(z)):
        np.testing.assert_allclose(both, a + b, atol=1e-13)
    net.zero_grad()
    loss = net(x)[0].sum()
    loss.backward(retain_graph=True)
    loss.backward()
    for twice, one in zip([p.grad.numpy().copy() for p in net.parameters()], gradients(x)):
        np.testing.assert_allclose(twice, 2 * one, atol=1e-13)
    biases = [p for name, p in net.named_parameters() if name.startswith("bias")]
    assert not np.shares_memory(biases[0].grad.numpy(), biases[1].grad.numpy())


@pytest.mark.parametrize("name", [n for k in ("rnn", "lstm", "gru") for n in all_cases(f"nn.{k}") if "large" not in n])
def test_the_recorded_backward_is_the_fast_one(name):
    """With create_graph=True other lines run; checking second derivatives alone would not see a wrong first one."""
    for seed in range(8):
        f, leaves = differentiable(all_cases(name)[name].make(Draw.seeded(seed)))
        leaves = {key: x for key, x in leaves.items() if x.requires_grad}
        inputs = tuple(leaves.values())
        fast, recorded = (
            ndl.autograd.grad(
                sum((y * y).sum() for y in f(*inputs)), inputs, create_graph=again, materialize_grads=True
            )
            for again in (False, True)
        )
        for a, b in zip(fast, recorded):
            np.testing.assert_allclose(b.detach().numpy(), a.numpy(), rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("kind", KINDS)
def test_the_recorded_backward_of_packed_sequences_with_a_state(kind):
    """In reverse, sequences of three lengths begin at three steps, each with its own row of h_0."""
    net = getattr(ndl.nn, kind)(2, 3, bidirectional=True).double()
    leaves = [ndl.randn(*shape, dtype=ndl.float64, requires_grad=True) for shape in ((5, 4, 2), (2, 4, 3), (2, 4, 3))]
    leaves = leaves[: 3 if kind == "LSTM" else 2]
    x, *state = leaves
    y, _ = net(rnn.pack_padded_sequence(x, [5, 3, 3, 1]), state if kind == "LSTM" else state[0])
    loss = (y.data**2).sum()
    fast = ndl.autograd.grad(loss, leaves, retain_graph=True)
    for a, b in zip(fast, ndl.autograd.grad(loss, leaves, create_graph=True)):
        np.testing.assert_allclose(b.detach().numpy(), a.numpy(), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("value", [1e4, -1e4, np.inf, -np.inf, np.nan])
def test_extreme_values_are_pytorchs(kind, value):
    ours, theirs = pair(kind, 2, 3)
    x = np.ones((2, 2, 2), np.float32)
    x[0, 0, 0] = value
    a, b = ours(ndl.tensor(x))[0], theirs(torch.tensor(x))[0]
    np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), atol=2e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_float32_is_as_exact_as_pytorchs(kind):
    ours, theirs = pair(kind, 16, 64)
    x = np.random.default_rng(0).standard_normal((20, 8, 16))
    truth = [t.detach().numpy() for t in _results(torch, theirs.double(), x)]
    single = [t.detach().numpy() for t in _results(torch, theirs.float(), x.astype(np.float32))]
    own = [t.detach().numpy() for t in _results(ndl, ours, x.astype(np.float32))]
    for exact, a, b in zip(truth, own, single):
        scale = max(1.0, np.abs(exact).max())
        assert a.dtype == np.float32
        assert np.abs(a - exact).max() <= max(4 * np.abs(b - exact).max(), 1e-7 * scale)


def _results(T, net, x):
    x = T.tensor(x, requires_grad=True)
    y = net(x)[0]
    net.zero_grad()
    (y * y).sum().backward()
    return [y, x.grad, *[p.grad for p in net.parameters()]]


@pytest.mark.parametrize("kind", KINDS)
def test_an_empty_batch_and_a_batch_of_one(kind):
    net = getattr(ndl.nn, kind)(3, 4)
    y, _ = net(ndl.zeros(2, 0, 3))
    y.sum().backward()
    assert tuple(y.shape) == (2, 0, 4) and not net.weight_ih_l0.grad.numpy().any()
    assert tuple(net(ndl.zeros(1, 1, 3))[0].shape) == (1, 1, 4)


def test_a_gate_that_is_open_keeps_the_cell_for_ever():
    """f = 1 and i = 0 to the last digit: c stays what it was, and its gradient is 1."""
    net = ndl.nn.LSTM(1, 1).double()
    with ndl.no_grad():
        for p in net.parameters():
            p.zero_()
        net.bias_ih_l0.copy_(ndl.tensor([-100.0, 100.0, 0.0, 0.0]))
    c = ndl.tensor([[[0.7]]], dtype=ndl.float64, requires_grad=True)
    _, (_, end) = net(ndl.zeros(200, 1, 1, dtype=ndl.float64), (ndl.zeros(1, 1, 1, dtype=ndl.float64), c))
    end.sum().backward()
    assert end.item() == 0.7 and c.grad.item() == 1.0


def test_a_saved_output_must_not_be_changed():
    net = ndl.nn.LSTM(2, 3)
    y, _ = net(ndl.randn(4, 2, 2))
    y.mul_(2)
    with pytest.raises(RuntimeError, match="inplace"):
        y.sum().backward()


CALLS = [
    ("dims", lambda T, k: getattr(T.nn, k)(3, 4)(T.zeros(3)), ValueError, "1D"),
    ("size", lambda T, k: getattr(T.nn, k)(3, 4)(T.zeros(2, 2, 5)), RuntimeError, "Expected 3, got 5"),
    ("type", lambda T, k: getattr(T.nn, k)(3, 4)(T.zeros(2, 2, 3).double()), ValueError, "does not match weight"),
    ("integers", lambda T, k: getattr(T.nn, k)(3, 4)(T.zeros(2, 2, 3).long()), ValueError, "does not match weight"),
    ("state's dims", lambda T, k: getattr(T.nn, k)(3, 4)(T.zeros(2, 2, 3), zeros(T, k, 1, 4)), RuntimeError, "2-D"),
    ("unbatched", lambda T, k: getattr(T.nn, k)(3, 4)(T.zeros(2, 3), zeros(T, k, 1, 1, 4)), RuntimeError, "3-D"),
    ("state", lambda T, k: getattr(T.nn, k)(3, 4)(T.zeros(2, 2, 3), zeros(T, k, 1, 3, 4)), RuntimeError, "1, 3, 4"),
    ("no steps", lambda T, k: getattr(T.nn, k)(3, 4)(T.zeros(0, 2, 3)), RuntimeError, "larger than 0"),
    ("dropout", lambda T, k: getattr(T.nn, k)(3, 4, dropout=2), ValueError, "dropout"),
    ("bias", lambda T, k: getattr(T.nn, k)(3, 4, bias=1), TypeError, "bool"),
    ("layers", lambda T, k: getattr(T.nn, k)(3, 4, num_layers=0), ValueError, "num_layers"),
    ("hidden", lambda T, k: getattr(T.nn, k)(3, 4.5), TypeError, "float"),
    ("cell's dims", lambda T, k: getattr(T.nn, k + "Cell")(3, 4)(T.zeros(1, 2, 3)), ValueError, "3D"),
    ("cell's size", lambda T, k: getattr(T.nn, k + "Cell")(3, 4)(T.zeros(2, 5)), RuntimeError, "got 5, expected 3"),
    ("cell's h", lambda T, k: getattr(T.nn, k + "Cell")(3, 4)(T.zeros(2, 3), zeros(T, k, 3, 4)), RuntimeError, "3"),
]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("call, error, message", [c[1:] for c in CALLS], ids=[c[0] for c in CALLS])
def test_what_does_not_fit_is_told(kind, call, error, message):
    with pytest.raises(error, match=message):
        call(ndl, kind)
    with pytest.raises(error):
        call(torch, kind)


PAIRS = {
    "a tensor": lambda T: T.nn.LSTMCell(2, 4)(T.ones(3, 2), T.ones(3, 4)),
    "a tensor of pairs": lambda T: T.nn.LSTM(2, 4)(T.ones(5, 3, 2), T.ones(2, 1, 3, 4)),
    "a tensor for one layer": lambda T: T.nn.LSTM(2, 4)(T.ones(5, 3, 2), T.ones(1, 3, 4)),
    "one": lambda T: T.nn.LSTMCell(2, 4)(T.ones(3, 2), (T.ones(3, 4),)),
    "one for a network": lambda T: T.nn.LSTM(2, 4)(T.ones(5, 3, 2), (T.ones(1, 3, 4),)),
    "three": lambda T: T.nn.LSTMCell(2, 4)(T.ones(3, 2), (T.ones(3, 4),) * 3),
    "three for a network": lambda T: T.nn.LSTM(2, 4)(T.ones(5, 3, 2), (T.ones(1, 3, 4),) * 3),
    "a number": lambda T: T.nn.LSTM(2, 4)(T.ones(5, 3, 2), 3.0),
}


@pytest.mark.parametrize("name", PAIRS)
def test_an_lstm_wants_a_pair(name):
    assert agree(lambda T: outcome(lambda: PAIRS[name](T))) in ("TypeError", "IndexError", "RuntimeError")
    with pytest.raises(Exception, match="expects two hidden states: argument 'hx' must be tuple of Tensors"):
        PAIRS[name](ndl)


@pytest.mark.parametrize("kind", KINDS)
def test_dropout_draws_pytorchs_numbers(kind):
    """Between the layers, and behind a network whose output's batch comes first."""
    found = []
    for T in (ndl, torch):
        T.manual_seed(0)
        net = getattr(T.nn, kind)(3, 4, 2, batch_first=True, dropout=0.5, bidirectional=True)
        found.append(T.nn.functional.dropout(net(T.ones(2, 5, 3))[0]).detach().numpy())
    np.testing.assert_allclose(*found, atol=1e-6)


def test_options_that_only_some_have():
    for kind in ("RNN", "GRU"):
        with pytest.raises(ValueError, match="proj_size"):
            getattr(ndl.nn, kind)(3, 4, proj_size=2)
    with pytest.raises(ValueError, match="smaller than hidden_size"):
        ndl.nn.LSTM(3, 4, proj_size=4)
    with pytest.raises(ValueError, match="Unknown nonlinearity 'sine'"):
        ndl.nn.RNN(3, 4, nonlinearity="sine")
    with pytest.raises(RuntimeError, match="Unknown nonlinearity"):
        ndl.nn.RNNCell(3, 4, nonlinearity="sine")(ndl.zeros(1, 3))
    with pytest.raises(ValueError, match="Unrecognized RNN mode"):
        ndl.nn.RNNBase("SRU", 3, 4)
    with pytest.raises(NotImplementedError):
        ndl.nn.RNNBase("LSTM", 3, 4)(ndl.zeros(1, 1, 3))
    with pytest.warns(UserWarning, match="num_layers greater than 1"):
        ndl.nn.GRU(3, 4, dropout=0.5)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ndl.nn.GRU(3, 4, 2, dropout=0.5)
