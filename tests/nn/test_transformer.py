"""The protocol for ``ndl.nn.transformer`` and its layers, and what their cases cannot say."""

import warnings

import numpy as np
import pytest
import torch

import ndl
from tests.both import agree, outcome
from tests.proof import proof

pytestmark = pytest.mark.filterwarnings("ignore:enable_nested_tensor", "ignore:The PyTorch API of nested tensors")

test_parity, test_numeric, test_second = proof("nn.transformer", examples=20)
test_layers_parity, test_layers_numeric, test_layers_second = proof("nn.transformer_layers", examples=20)


BUILD = {
    "encoder layer": lambda T: T.nn.TransformerEncoderLayer(6, 2, 5),
    "encoder layer without bias": lambda T: T.nn.TransformerEncoderLayer(6, 2, 5, bias=False, norm_first=True),
    "encoder layer with a Module": lambda T: T.nn.TransformerEncoderLayer(6, 2, 5, activation=T.nn.GELU()),
    "decoder layer": lambda T: T.nn.TransformerDecoderLayer(6, 3, 5, batch_first=True),
    "encoder": lambda T: T.nn.TransformerEncoder(T.nn.TransformerEncoderLayer(4, 2, 5), 2, T.nn.LayerNorm(4)),
    "decoder": lambda T: T.nn.TransformerDecoder(T.nn.TransformerDecoderLayer(4, 2, 5), 2),
    "transformer": lambda T: T.nn.Transformer(4, 2, 2, 1, 5, activation="gelu"),
}


@pytest.mark.parametrize("name", BUILD)
def test_the_same_seed_gives_the_same_model(name):
    def program(T):
        T.manual_seed(2)
        m = BUILD[name](T)
        return repr(m), {k: v.numpy().tolist() for k, v in m.state_dict().items()}

    agree(program)


def test_copies_do_not_share_weights():
    m = ndl.nn.TransformerEncoder(ndl.nn.TransformerEncoderLayer(4, 2, 5), 2)
    a, b = m.layers[0].linear1.weight, m.layers[1].linear1.weight
    assert ndl.equal(a, b) and not np.shares_memory(a.detach().numpy(), b.detach().numpy())


def test_a_causal_encoder_does_not_look_ahead():
    m = ndl.nn.TransformerEncoder(ndl.nn.TransformerEncoderLayer(4, 2, 5, 0.0, batch_first=True), 2)
    mask = ndl.nn.Transformer.generate_square_subsequent_mask(6)
    x = ndl.randn(1, 6, 4)
    z = x.clone()
    z[0, 4:] = 0
    y, w = m(x, mask).detach().numpy(), m(z, mask).detach().numpy()
    np.testing.assert_allclose(y[0, :4], w[0, :4], atol=1e-5)
    assert abs(y - w)[0, 4:].max() > 1e-2


def test_square_subsequent_mask():
    def program(T):
        f = T.nn.Transformer.generate_square_subsequent_mask
        return f(3).numpy().tolist(), str(f(2, dtype=T.float64).dtype)[-7:]

    assert agree(program)[0] == [[0, -np.inf, -np.inf], [0, 0, -np.inf], [0, 0, 0]]


def test_training_steps_keep_equal_weights():
    """Five steps of a small model from the same seed: post-norm, dropout, padding, AdamW."""
    rng = np.random.default_rng(0)
    src, tgt = rng.standard_normal((5, 3, 8)), rng.standard_normal((4, 3, 8))
    hidden = np.arange(5) >= np.array([5, 3, 4])[:, None]

    def program(T):
        T.manual_seed(0)
        m = T.nn.Transformer(8, 2, 2, 2, 16, dropout=0.1, dtype=T.float64)
        optimizer = T.optim.AdamW(m.parameters(), lr=1e-2)
        for _ in range(5):
            optimizer.zero_grad()
            y = m(T.from_numpy(src), T.from_numpy(tgt), src_key_padding_mask=T.from_numpy(hidden))
            y.pow(3).mean().backward()
            optimizer.step()
        return {k: v.detach().numpy() for k, v in m.named_parameters()}

    ours, theirs = program(ndl), program(torch)
    assert ours.keys() == theirs.keys()
    for name in theirs:
        np.testing.assert_allclose(ours[name], theirs[name], atol=1e-9, err_msg=name)


@pytest.mark.parametrize(
    "program",
    [
        lambda T: T.nn.TransformerEncoderLayer(4, 2, activation="tanh"),
        lambda T: T.nn.Transformer(4, 2, 1, 1, 5)(T.ones(3, 2, 4), T.ones(3, 1, 4)),
        lambda T: T.nn.Transformer(4, 2, 1, 1, 5)(T.ones(3, 2, 4), T.ones(3, 2, 5)),
        lambda T: T.nn.Transformer(4, 2, 1, 1, 5)(T.ones(3, 4), T.ones(2, 4)).shape[0],
        lambda T: T.nn.TransformerEncoderLayer(4, 2, 5)(T.ones(3, 2, 4), is_causal=True),
    ],
)
def test_wrong_arguments_raise_what_pytorch_raises(program):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        agree(lambda T: outcome(lambda: program(T)))
