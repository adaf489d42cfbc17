"""The LSTM experiment and what the language models share, run as a user runs them, on a small text."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import ndl
from experiments.language_model import EveryWindow, generate, get_batch, next_character_loss, sample, splits
from experiments.shakespeare_lstm import CharacterLSTM
from ndl.utils.serialization import load

ROOT = Path(__file__).resolve().parents[2]
SMALL = ["--hidden", 24, "--embedding", 8, "--block-size", 16, "--batch-size", 16, "--steps", 30, "--lr", 0.03]


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A text whose next character is easy to tell."""
    file = tmp_path_factory.mktemp("text") / "song.txt"
    file.write_text("abcdefgh\n" * 300)
    return file


def run(folder: Path, *arguments: object, code: int = 0) -> str:
    command = [sys.executable, str(ROOT / "experiments" / "shakespeare_lstm.py"), *map(str, arguments)]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("NDL_")}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=150)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_learns_draws_and_writes(text: Path, tmp_path: Path) -> None:
    said = run(tmp_path, text, *SMALL, "--epochs", 3, "--sample", 40)
    assert "2,430 characters to train on, 270 to validate, 9 different; " in said
    assert float(re.search(r"Validation loss after 90 steps: (\d\.\d{4})", said)[1]) < 0.3, said  # log 9 is 2.2
    assert re.search(r"Training time .* s; peak memory \d+ MiB", said) and "Curves: metrics.png" in said
    assert said.count("abcdefgh\n") >= 2, said
    assert (tmp_path / "metrics.png").read_bytes().startswith(b"\x89PNG")


def test_two_epochs_and_one_more_are_three(text: Path, tmp_path: Path) -> None:
    common = [*SMALL, "--schedule", "none", "--no-curve", "--sample", 0]
    run(tmp_path, text, *common, "--epochs", 3, "--checkpoint", "whole.pt")
    run(tmp_path, text, *common, "--epochs", 2, "--checkpoint", "part.pt")
    before = (tmp_path / "part.pt").read_bytes()
    run(tmp_path, text, "--resume", "part.pt", "--epochs", 3, "--no-curve", "--sample", 0, "--no-checkpoint")
    assert (tmp_path / "part.pt").read_bytes() == before
    run(tmp_path, text, "--resume", "part.pt", "--epochs", 3, "--no-curve", "--sample", 0)
    whole, part = (load(tmp_path / name)["model"] for name in ("whole.pt", "part.pt"))
    assert all(whole[k].numpy().tobytes() == part[k].numpy().tobytes() for k in whole)


def test_what_is_missing_or_impossible_is_told(tmp_path: Path) -> None:
    said = run(tmp_path, "nowhere", code=1)
    assert "error: " in said and "nowhere" in said and "Traceback" not in said
    for wrong in (["--hidden", 0], ["--clip", -1], ["--temperature", 0], ["--sample", -1], ["--momentum", 0.5]):
        assert "usage:" in run(tmp_path, *wrong, code=2)


def test_a_batch_is_windows_and_what_follows(text: Path) -> None:
    train, val = splits(text, 16)
    x, y = get_batch(train, 5, ndl.Generator())
    assert tuple(x.shape) == (5, 16) and tuple(y.shape) == (80,)
    np.testing.assert_array_equal(x.numpy()[:, 1:], y.numpy().reshape(5, 16)[:, :-1])
    batches = list(EveryWindow(val, 4))
    seen = np.concatenate([x.numpy().ravel() for x, _ in batches])
    np.testing.assert_array_equal(seen, val.data[: len(seen)])  # every character once, in order
    assert len(val.data) - len(seen) <= 16


def test_loss_is_the_mean_over_all_characters() -> None:
    assert next_character_loss(ndl.zeros(2, 3, 5), ndl.zeros(6).long()).item() == pytest.approx(np.log(5))


def test_generation_is_greedy_when_cold_and_repeatable(text: Path) -> None:
    train, _ = splits(text, 16)
    ndl.manual_seed(0)
    model = CharacterLSTM(train.vocab_size, 4, 8, 2, 0.5)
    start = ndl.zeros(2, 3).long()
    cold = generate(model, start, 20, 16, temperature=1e-6)
    assert tuple(cold.shape) == (2, 23)
    with ndl.no_grad():
        assert cold[0, 3].item() == model(start)[0, -1].argmax().item()
    assert sample(model, train, 30, 1, 1.0) == sample(model, train, 30, 1, 1.0) != sample(model, train, 30, 2, 1.0)
