"""The CIFAR-10 experiment, run as a user runs it, on a few generated pictures."""

from __future__ import annotations

import os
import pickle
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import ndl
from experiments.cifar10_cnn import main
from experiments.cifar10_networks import (
    CLASSES,
    PAD,
    classic,
    groups,
    lookahead,
    quick,
    shift_and_flip,
    six_views,
    triangle,
    whitening_filters,
)
from ndl import nn

ROOT = Path(__file__).resolve().parents[2]
PROGRAM, TWIN = ROOT / "experiments" / "cifar10_cnn.py", ROOT / "benchmarks" / "cifar10_twin.py"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Batches in the published layout, of pictures that are easy to tell apart: one colour for each kind."""
    folder = tmp_path_factory.mktemp("data") / "cifar-10-batches-py"
    folder.mkdir()
    rng = np.random.default_rng(0)
    colours = rng.integers(0, 256, (10, 3))
    for name in [*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"]:
        labels = rng.integers(0, 10, 64)
        pixels = np.repeat(colours[labels][:, :, None], 1024, axis=2) + rng.integers(-9, 10, (64, 3, 1024))
        rows = pixels.clip(0, 255).astype(np.uint8).reshape(64, 3072)
        (folder / name).write_bytes(pickle.dumps({"data": rows, "labels": labels.tolist()}, protocol=4))
    return folder


def run(folder: Path, *arguments: object, code: int = 0, program: Path = PROGRAM) -> str:
    command = [sys.executable, str(program), *map(str, arguments)]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("NDL_")}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=150)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_trains_reports_and_draws(data: Path, tmp_path: Path) -> None:
    said = run(tmp_path, data, "--width", 8, "--epochs", 12, "--batch-size", 32, "--lr", 0.1)
    accuracy = float(re.search(r"Test accuracy after 12 epochs: (0\.\d+|1\.0+)", said)[1])
    assert accuracy > 0.5, said  # ten colours; guessing gives 0.1
    for name in CLASSES:
        assert f"Accuracy of {name}: " in said
    assert (tmp_path / "metrics.png").stat().st_size > 5000
    assert "peak memory" in said and "six views" in said


def test_classic_and_resume(data: Path, tmp_path: Path) -> None:
    run(tmp_path, data, "--preset", "classic", "--epochs", 1, "--no-curve")
    said = run(tmp_path, data, "--resume", "runs/cifar10_cnn.pt", "--epochs", 2, "--no-curve")
    assert "Test accuracy after 2 epochs" in said and not (tmp_path / "metrics.png").exists()
    assert "error: " in run(tmp_path, tmp_path / "nowhere", code=1)


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--optimizer", "adam"], "--optimizer adam: the quick network is trained with sgd only"),
        (["--schedule", "onecycle"], "--schedule onecycle: the quick network is trained with triangle only"),
        (
            ["--preset", "classic", "--schedule", "triangle"],
            "the classic network is trained with none or onecycle only",
        ),
        (
            ["--preset", "classic", "--width", "8"],
            "--width changes nothing here: it counts only with the quick network",
        ),
        (["--preset", "classic", "--optimizer", "adam", "--momentum", "0.5"], "counts only with --optimizer sgd"),
    ],
)
def test_what_the_recipe_cannot_do_is_refused(
    tmp_path: Path, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main([*arguments, "--no-curve", "--checkpoint", str(tmp_path / "net.pt")])
    assert message in capsys.readouterr().err


def test_classic_with_another_optimiser(data: Path, tmp_path: Path) -> None:
    options = ["--preset", "classic", "--optimizer", "adam", "--schedule", "onecycle", "--epochs", 1]
    said = run(tmp_path, data, *options, "--no-curve", "--no-checkpoint")
    assert "optimizer adam, schedule onecycle" in said and "momentum" not in said and "width" not in said


def test_the_twin_trains_by_the_same_recipe(data: Path, tmp_path: Path) -> None:
    said = run(tmp_path, data, "--network", "classic", "--steps", 3, program=TWIN)
    assert float(re.search(r"largest difference in the first 10 steps (\S+),", said)[1]) < 1e-4, said
    assert (tmp_path / "twin.png").stat().st_size > 5000
    assert "--steps: 0; wanted 1 or more" in run(tmp_path, data, "--steps", 0, program=TWIN, code=2)
    assert "cannot be written" in run(tmp_path, data, "--curve", "/dev/null/x.png", program=TWIN, code=2)


def normalised(n: int) -> np.ndarray:
    """Smooth pictures, whose neighbouring pixels are alike as in photographs."""
    noise = np.random.default_rng(0).standard_normal((n, 3, 35, 35))
    smooth = np.lib.stride_tricks.sliding_window_view(noise, (4, 4), axis=(2, 3)).mean((4, 5))
    return smooth.astype(np.float32)


def test_the_networks() -> None:
    x = ndl.from_numpy(normalised(64))
    for model in (classic(ndl), quick(ndl, x.numpy(), 4)):
        assert model(x).shape == (64, 10)
    assert sum(p.numel() for p in classic(ndl).parameters()) == 80_602
    trained = [p for p in quick(ndl, x.numpy(), 64).parameters() if p.requires_grad]
    assert (
        sum(p.numel() for p in trained) == 24 + 9 * (24 * 64 + 64**2 + 64 * 256 + 3 * 256**2) + 2 * 64 + 4 * 256 + 2560
    )


def test_the_first_layer_decorrelates() -> None:
    """The first twelve outputs over all 2x2 patches have the unit matrix for covariance, the others are their negatives."""
    pictures = normalised(200)
    y = nn.functional.conv2d(ndl.from_numpy(pictures), ndl.from_numpy(whitening_filters(pictures))).numpy()
    rows = y.transpose(1, 0, 2, 3).reshape(24, -1).astype(np.float64)
    covariance = rows[:12] @ rows[:12].T / rows.shape[1]
    off = covariance - np.diag(np.diag(covariance))
    assert np.abs(off).max() < 1e-3 and (np.diag(covariance) < 1 + 1e-3).all() and np.diag(covariance).max() > 0.9
    np.testing.assert_allclose(rows[12:], -rows[:12], atol=1e-5)


def test_both_libraries_learn_alike() -> None:
    """The recipe's weights after seven steps, two of them with a look at the slow average, are PyTorch's."""
    pictures, labels = normalised(64), np.random.default_rng(1).integers(0, 10, 64)
    weights = []
    for T in (ndl, torch):
        T.manual_seed(0)
        model = quick(T, pictures, 8).to(T.float64)
        optimizer = lookahead(T)(groups(T, model, 0.02, 0.001), 7, lr=0.02, momentum=0.85, nesterov=True)
        scheduler = T.optim.lr_scheduler.LambdaLR(optimizer, triangle(7))
        for _ in range(7):
            optimizer.zero_grad()
            T.nn.functional.cross_entropy(model(T.from_numpy(pictures).double()), T.from_numpy(labels)).backward()
            optimizer.step()
            scheduler.step()
        weights.append([p.detach().numpy() for p in model.parameters()])
    for ours, theirs in zip(*weights, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-8)


def test_shift_and_flip() -> None:
    """Every moved picture is a window of the bordered one, mirrored or not."""
    x = np.arange(2 * 3 * 32 * 32, dtype=np.float32).reshape(2, 3, 32, 32)
    many = np.tile(x, (20, 1, 1, 1))
    rng = np.random.default_rng(0)
    down, right = (rng.integers(0, 2 * PAD + 1, 40) for _ in range(2))
    moved = shift_and_flip(many, down, right, rng.random(40) < 0.5)
    bordered = np.pad(x, ((0, 0), (0, 0), (PAD, PAD), (PAD, PAD)), mode="reflect")
    for i, picture in enumerate(moved):
        places = range(2 * PAD + 1)
        windows = [bordered[i % 2, :, a : a + 32, b : b + 32] for a in places for b in places]
        assert any(np.array_equal(picture, w) or np.array_equal(picture, w[:, :, ::-1]) for w in windows)
    assert len({picture.tobytes() for picture in moved}) > 20


def test_six_views_of_a_symmetric_model() -> None:
    """A model that looks at the mean only gives the same for a picture and its mirror image; weights add up to 1."""
    x = ndl.ones(2, 3, 32, 32)
    np.testing.assert_allclose(six_views(ndl, lambda v: v.mean((2, 3)), x).numpy(), np.ones((2, 3)), rtol=1e-6)
