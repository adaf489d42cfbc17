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

import ndl
from experiments.cifar10_cnn import CLASSES, ShiftAndFlip, classic, resnet9

ROOT = Path(__file__).resolve().parents[2]


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


def run(folder: Path, *arguments: object, code: int = 0) -> str:
    command = [sys.executable, str(ROOT / "experiments" / "cifar10_cnn.py"), *map(str, arguments)]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("NDL_")}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=150)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_trains_reports_and_draws(data: Path, tmp_path: Path) -> None:
    said = run(tmp_path, data, "--width", 4, "--epochs", 8, "--batch-size", 32, "--lr", 0.1)
    accuracy = float(re.search(r"Test accuracy after 8 epochs: (0\.\d+|1\.0+)", said)[1])
    assert accuracy > 0.5, said  # ten colours; guessing gives 0.1
    for name in CLASSES:
        assert f"Accuracy of {name}: " in said
    assert (tmp_path / "metrics.png").stat().st_size > 5000
    assert "peak memory" in said


def test_classic_and_resume(data: Path, tmp_path: Path) -> None:
    run(tmp_path, data, "--preset", "classic", "--epochs", 1, "--no-curve")
    said = run(tmp_path, data, "--resume", "runs/cifar10_cnn.pt", "--epochs", 2, "--no-curve")
    assert "Test accuracy after 2 epochs" in said and not (tmp_path / "metrics.png").exists()
    assert "error: " in run(tmp_path, tmp_path / "nowhere", code=1)


def test_the_networks() -> None:
    x = ndl.randn(2, 3, 32, 32)
    for model in (classic(), resnet9(4)):
        assert model(x).shape == (2, 10)
    assert sum(p.numel() for p in classic().parameters()) == 80_602


def test_shift_and_flip() -> None:
    """Every moved picture is a window of the bordered one, mirrored or not; nothing is drawn without a shift."""
    ndl.manual_seed(0)
    x = ndl.arange(2 * 3 * 32 * 32).float().reshape(2, 3, 32, 32)
    moved = ShiftAndFlip(4)(x.repeat(20, 1, 1, 1)).numpy()
    bordered = np.pad(x.numpy(), ((0, 0), (0, 0), (4, 4), (4, 4)), mode="reflect")
    for i, picture in enumerate(moved):
        windows = [bordered[i % 2, :, a : a + 32, b : b + 32] for a in range(9) for b in range(9)]
        assert any(np.array_equal(picture, w) or np.array_equal(picture, w[:, :, ::-1]) for w in windows)
    assert len({picture.tobytes() for picture in moved}) > 20
