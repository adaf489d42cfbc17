"""The program, run as a user runs it; and its models against PyTorch code of the same formulas."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import ndl
from experiments.models.gpt import GPT
from experiments.models.llama import Llama, SwiGLU, rotary_angles, rotate
from experiments.shakespeare_gpt import unused, warmup_and_cosine
from ndl.utils.serialization import load

ROOT = Path(__file__).resolve().parents[2]
TEXT = "the quick brown fox jumps over the lazy dog\n" * 60
SMALL = ["--layers", 1, "--heads", 2, "--width", 16, "--block-size", 16, "--steps", 40, "--epochs", 2]


def run(folder, *arguments, code=0):
    command = [sys.executable, str(ROOT / "experiments" / "shakespeare_gpt.py"), *map(str, arguments)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=200)
    assert done.returncode == code, done.stdout + done.stderr
    return done


@pytest.fixture
def text(tmp_path):
    path = tmp_path / "fox.txt"
    path.write_text(TEXT)
    return path


# -- the program -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model, only_its_own", [("gpt", ["--no-bias"]), ("llama", ["--groups", 1])])
def test_learns_writes_and_draws(tmp_path, text, model, only_its_own):
    options = ["--model", model, *only_its_own, "--lr", 0.01, "--warmup", 5, "--sample", 40]
    out = run(tmp_path, text, *SMALL, *options).stdout
    assert re.search(r"^2,376 characters to train on, 264 to validate, 28 different; [\d,]+ parameters$", out, re.M), (
        out
    )
    assert f"model {model}, layers 1, heads 2" in out
    loss = float(re.search(r"^Validation loss after 80 steps: (.*)$", out, re.M)[1])
    assert loss < 2.0  # chance is ln 28 = 3.3
    assert re.search(r"^Training time .* s; peak memory \d+ MiB$", out, re.M)
    assert (tmp_path / "metrics.png").read_bytes().startswith(b"\x89PNG")
    assert len(out.split("Curves: metrics.png\n")[1]) == 41
    assert load(tmp_path / "runs" / "shakespeare_gpt.pt")["settings"]["model"] == model


def test_one_epoch_and_one_more_are_two(tmp_path, text):
    common = [text, *SMALL, "--no-curve", "--sample", 0]
    run(tmp_path, *common, "--checkpoint", "whole.pt")
    run(tmp_path, *common, "--checkpoint", "part.pt")
    done = run(tmp_path, text, "--resume", "part.pt", "--epochs", 3, "--no-curve", code=1)
    assert "leave out what differs" in done.stderr  # the cosine ends where it ends
    whole, part = (load(tmp_path / f"{name}.pt")["model"] for name in ("whole", "part"))
    assert all(np.array_equal(whole[k].numpy(), part[k].numpy()) for k in whole)


@pytest.mark.parametrize("arguments", [["--heads", "3"], ["--model", "llama", "--groups", "3"]])
def test_what_does_not_fit_is_told(tmp_path, text, arguments):
    done = run(tmp_path, text, *arguments, "--no-curve", "--no-checkpoint", code=1)
    assert "multiple" in done.stderr and "Traceback" not in done.stderr


def test_what_would_change_nothing_is_unused():
    settings = {"model": "gpt", "schedule": "cosine", "optimizer": "adamw"}
    assert unused(settings) == {"groups": "--model llama"}
    assert set(unused({**settings, "model": "llama"})) == {"bias", "dropout"}
    assert set(unused({**settings, "schedule": "none"})) == {"groups", "warmup", "min_lr"}
    assert set(unused({**settings, "optimizer": "sgd"})) == {"groups", "beta2"}


def test_an_option_that_would_change_nothing_is_refused(tmp_path, text):
    done = run(tmp_path, text, "--schedule", "none", "--min-lr", 0.1, code=2)
    assert "--min-lr changes nothing here: it counts only with --schedule cosine" in done.stderr
    assert "invalid choice: 'triangle'" in run(tmp_path, text, "--schedule", "triangle", code=2).stderr


@pytest.mark.parametrize("schedule", ["none", "onecycle"])
def test_the_betas_count_with_every_schedule(schedule):
    settings = {"schedule": schedule, "optimizer": "adam", "lr": 1.0, "epochs": 1, "steps": 7}
    settings |= {"weight_decay": 0.1, "momentum": 0.8, "beta2": 0.97}
    optimizer, scheduler = warmup_and_cosine(GPT(5, 4, 1, 1, 2, bias=True), settings)
    assert [(g["betas"], g["weight_decay"]) for g in optimizer.param_groups] == [((0.8, 0.97), 0.1), ((0.8, 0.97), 0.0)]
    assert (scheduler is None) == (schedule == "none")


def test_learning_rate_and_weight_decay():
    model = GPT(5, 4, 1, 1, 2, bias=True)
    settings = {"schedule": "cosine", "optimizer": "adamw", "lr": 1.0, "min_lr": 0.1, "warmup": 3, "epochs": 1}
    settings |= {"steps": 7, "weight_decay": 0.1, "momentum": 0.9, "beta2": 0.99}
    optimizer, scheduler = warmup_and_cosine(model, settings)
    assert [g["weight_decay"] for g in optimizer.param_groups] == [0.1, 0.0]
    assert all(p.dim() >= 2 for p in optimizer.param_groups[0]["params"])
    assert optimizer.param_groups[1]["betas"] == (0.9, 0.99)
    rates = []
    for _ in range(9):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    wanted = [0.25, 0.5, 0.75, 1.0, 0.1 + 0.45 * (1 + 2**-0.5), 0.55, 0.1 + 0.45 * (1 - 2**-0.5), 0.1, 0.1]
    np.testing.assert_allclose(rates, wanted, rtol=1e-12)


# -- the models against PyTorch --------------------------------------------------------------------------------


def in_torch(file):
    """The same lines, with PyTorch in the place of ndl."""
    code = (ROOT / "experiments" / "models" / file).read_text()
    code = code.replace("import ndl\n", "import torch as ndl\n").replace("from ndl", "from torch")
    names = {"__name__": file}
    exec(compile(code, file, "exec"), names)
    return names


@pytest.mark.parametrize(
    "name, file, options", [("GPT", "gpt.py", {"bias": True}), ("Llama", "llama.py", {"groups": 2})]
)
def test_the_same_seed_trains_the_same_model(name, file, options):
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 11, (3, 8)), rng.integers(0, 11, 24)

    def losses(T, Model):
        T.manual_seed(1)
        model = Model(11, 8, 2, 4, 16, **options).double()
        optimizer = T.optim.AdamW(model.parameters(), lr=0.01)
        found = []
        for _ in range(4):
            optimizer.zero_grad()
            loss = T.nn.functional.cross_entropy(model(T.from_numpy(x)).flatten(0, 1), T.from_numpy(y))
            loss.backward()
            T.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            found.append(loss.item())
        return found, {k: v.detach().numpy() for k, v in model.named_parameters()}

    ours, theirs = losses(ndl, {"GPT": GPT, "Llama": Llama}[name]), losses(torch, in_torch(file)[name])
    np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-9)
    assert ours[1].keys() == theirs[1].keys()
    for k in theirs[1]:
        np.testing.assert_allclose(ours[1][k], theirs[1][k], atol=1e-8, err_msg=k)


def test_rotary_positions_are_complex_rotations():
    """The pairs as complex numbers, times e^{i t θ}: another way to write the formula, in PyTorch."""
    x = np.random.default_rng(0).standard_normal((2, 3, 7, 8))
    ours = ndl.from_numpy(x).requires_grad_()
    cos, sin = (t.double() for t in rotary_angles(7, 8))
    y = rotate(ours, cos, sin)
    dy = np.random.default_rng(1).standard_normal(x.shape)
    y.backward(ndl.from_numpy(dy))

    theirs = torch.from_numpy(x).requires_grad_()
    theta = 10000.0 ** (-torch.arange(0, 8, 2, dtype=torch.float64) / 8)
    angle = torch.arange(7, dtype=torch.float64)[:, None] * theta
    z = torch.complex(theirs[..., :4], theirs[..., 4:]) * torch.polar(torch.ones_like(angle), angle)
    wanted = torch.cat([z.real, z.imag], -1)
    wanted.backward(torch.from_numpy(dy))
    np.testing.assert_allclose(y.detach().numpy(), wanted.detach().numpy(), atol=1e-6)  # cos and sin are float32
    np.testing.assert_allclose(ours.grad.numpy(), theirs.grad.numpy(), atol=1e-6)


def test_rotary_products_depend_on_the_distance_only():
    cos, sin = (t.double() for t in rotary_angles(12, 6))
    q, k = ndl.randn(6, dtype=ndl.float64), ndl.randn(6, dtype=ndl.float64)
    Q, K = rotate(q.expand(12, 6), cos, sin), rotate(k.expand(12, 6), cos, sin)
    products = (Q @ K.T).numpy()
    for distance in range(-11, 12):
        diagonal = np.diagonal(products, distance)
        np.testing.assert_allclose(diagonal, diagonal[0], atol=1e-5)


def test_swiglu():
    m = SwiGLU(6).double()
    x = np.random.default_rng(0).standard_normal((5, 6))
    ours = ndl.from_numpy(x).requires_grad_()
    m(ours).square().sum().backward()
    theirs = torch.from_numpy(x).requires_grad_()
    gate, up, down = (torch.from_numpy(p.detach().numpy().copy()).requires_grad_() for p in m.parameters())
    a = theirs @ gate.T
    ((a * torch.sigmoid(a) * (theirs @ up.T)) @ down.T).square().sum().backward()
    for p, t in zip([ours, *m.parameters()], [theirs, gate, up, down], strict=True):
        np.testing.assert_allclose(p.grad.numpy(), t.grad.numpy(), atol=1e-10)


def test_the_models_do_not_look_ahead():
    x = ndl.randint(7, (1, 8))
    z = x.clone()
    z[0, 5:] = 0
    for model in (GPT(7, 8, 1, 2, 8), Llama(7, 8, 1, 2, 8)):
        y, w = model(x), model(z)
        np.testing.assert_allclose(y[0, :5].detach().numpy(), w[0, :5].detach().numpy(), atol=1e-6)
        assert abs((y - w)[0, 5:].detach().numpy()).max() > 1e-3
        with pytest.raises(ValueError, match="at most 8"):
            model(ndl.zeros(1, 9, dtype=ndl.int64))


def test_gpt_ties_its_weights():
    model = GPT(7, 8, 1, 2, 8)
    assert model.lm_head.weight is model.transformer["wte"].weight
    assert len(list(model.parameters())) == 9
    assert "lm_head.weight" in model.state_dict() and "transformer.wte.weight" in model.state_dict()


# -- the real text ---------------------------------------------------------------------------------------------


def test_real_shakespeare_begins_to_learn(tmp_path, shakespeare_source):
    arguments = ["--steps", 100, "--epochs", 1, "--warmup", 10, "--no-curve", "--no-checkpoint", "--sample", 0]
    out = run(tmp_path, shakespeare_source.parent, *arguments).stdout
    assert float(re.search(r"^Validation loss after 100 steps: (.*)$", out, re.M)[1]) < 2.8
