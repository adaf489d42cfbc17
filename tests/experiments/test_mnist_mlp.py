"""The main job, run as a user runs it, on a few generated digits."""

import os
import re
import shutil
import signal
import struct
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from ndl.utils.serialization import load

ROOT = Path(__file__).resolve().parents[2]


def write_idx(path, array):
    path.write_bytes(struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes())


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """IDX files like MNIST's, of digits that are easy to tell apart: a bright square for each."""
    folder = tmp_path_factory.mktemp("data") / "mnist-784"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for split, n in (("train", 2000), ("t10k", 300)):
        labels = rng.integers(0, 10, n).astype(np.uint8)
        pictures = rng.integers(0, 200, (n, 28, 28)).astype(np.uint8)
        for picture, label in zip(pictures, labels):
            row, column = divmod(int(label), 5)
            picture[4 + 12 * row : 8 + 12 * row, 5 * column : 5 * column + 4] = 255
        write_idx(folder / f"{split}-images-idx3-ubyte", pictures)
        write_idx(folder / f"{split}-labels-idx1-ubyte", labels)
    return folder


def environment(**changes):
    kept = {k: v for k, v in os.environ.items() if not k.startswith("NDL_") and "proxy" not in k.lower()}
    # Without a network, and without waiting for one: nothing listens on this port.
    return {**kept, "HTTPS_PROXY": "http://127.0.0.1:9", "PYTHONUNBUFFERED": "1", **changes}


def command(*arguments):
    return [sys.executable, str(ROOT / "experiments" / "mnist_mlp.py"), *map(str, arguments)]


def run(folder, *arguments, code=0):
    done = subprocess.run(
        command(*arguments), cwd=folder, env=environment(), capture_output=True, text=True, timeout=150
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done


def weights(path):
    return {name: t.numpy().tobytes() for name, t in load(path)["model"].items()}


def test_trains_reports_and_draws(tmp_path, data):
    out = run(tmp_path, data, "--preset", "classic", "--epochs", 3, "--lr", 0.02).stdout
    assert "mnist: 2,000 digits to train on, 300 to test on" in out
    assert "hidden [50, 20], epochs 3, batch_size 100, optimizer sgd, schedule none, lr 0.02, momentum 0.9" in out
    for pattern in (
        r"^Epoch 1/3: train loss .*\nTest accuracy after 1 epoch: 0\.\d{3}$",
        r"^Test accuracy after 3 epochs: [01]\.\d{3}\nAccuracy of digit 0: [01]\.\d{3}$",
        r"^Accuracy of digit 9: [01]\.\d{3}\nTraining time \d+\.\d s; peak memory \d+ MiB\nCurves: metrics\.png$",
    ):
        assert re.search(pattern, out, re.MULTILINE), out
    assert float(re.search(r"after 3 epochs: (.*)", out)[1]) > 0.9
    assert (tmp_path / "metrics.png").read_bytes().startswith(b"\x89PNG")
    assert load(tmp_path / "runs" / "mnist_mlp.pt")["settings"]["hidden"] == [50, 20]


def test_without_data_or_network_it_takes_the_digits_and_says_so(tmp_path):
    out = run(tmp_path, "--epochs", 2, "--no-curve", "--no-checkpoint").stdout
    assert re.search(r"MNIST is not at data: trying to fetch it .*\nMNIST cannot be fetched, .* 8x8 digits\.", out)
    assert "prepare_data.py --only mnist" in out and "digits: 1,442 digits to train on, 355 to test on" in out
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["nowhere"], r"error: mnist: .*nowhere.*prepare_data\.py"),
        (["--data", "mnist"], r"neither at data nor to be fetched"),
        (["--data", "digits", "--resume", "none.pt"], r"none\.pt"),
        (["nowhere", "--data", "digits"], r"error: nowhere was named, but .* digits, which need no files"),
    ],
)
def test_what_is_missing_is_told(tmp_path, arguments, message):
    done = run(tmp_path, *arguments, code=1)
    assert re.search(message, done.stderr) and "Traceback" not in done.stderr


def test_damaged_data_is_told(tmp_path, data):
    copy = shutil.copytree(data, tmp_path / "mnist-784")
    images = copy / "train-images-idx3-ubyte"
    images.write_bytes(images.read_bytes()[:1000])
    done = run(tmp_path, copy, code=1)
    assert "error: " in done.stderr and "train-images-idx3-ubyte" in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "arguments", [["--epochs", "0"], ["--hidden", "-3"], ["--optimizer", "magic"], ["--lr", "x"], ["--momentum", "0.5"]]
)
def test_impossible_options_are_refused(tmp_path, arguments):
    done = subprocess.run(command(*arguments), cwd=tmp_path, env=environment(), capture_output=True, text=True)
    assert done.returncode == 2 and "usage:" in done.stderr


def test_two_epochs_and_two_more_are_four(tmp_path, data):
    common = [data, "--preset", "classic", "--no-curve"]
    run(tmp_path, *common, "--epochs", 4, "--checkpoint", "whole.pt")
    run(tmp_path, *common, "--epochs", 2, "--checkpoint", "part.pt")
    run(tmp_path, data, "--no-curve", "--resume", "part.pt", "--epochs", 4)
    assert weights(tmp_path / "part.pt") == weights(tmp_path / "whole.pt")
    assert load(tmp_path / "part.pt")["epoch"] == 4


def test_ctrl_c_then_resume(tmp_path, data):
    slow = [data, "--no-curve", "--epochs", 15, "--batch-size", 50]
    run(tmp_path, *slow, "--checkpoint", "whole.pt")
    program = subprocess.Popen(
        command(*slow, "--checkpoint", "run.pt"),
        cwd=tmp_path,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    seen = ""
    while "Test accuracy after 2 epochs" not in seen:
        line = program.stdout.readline()
        assert line, seen + program.stderr.read()
        seen += line
    time.sleep(0.05)
    program.send_signal(signal.SIGINT)
    rest, errors = program.communicate(timeout=60)
    assert program.returncode == 130, seen + rest + errors
    assert re.search(r"Interrupted in epoch \d+ of 15, after batch \d+\. Saved as run\.pt; .*--resume run\.pt", errors)
    assert "Traceback" not in errors and 2 <= load(tmp_path / "run.pt")["epoch"] < 15
    out = run(tmp_path, data, "--no-curve", "--resume", "run.pt").stdout
    assert "Test accuracy after 15 epochs" in out and "Epoch  1/15" not in out
    assert weights(tmp_path / "run.pt") == weights(tmp_path / "whole.pt")


def test_resume_refuses_other_settings_and_half_a_file(tmp_path, data):
    run(tmp_path, data, "--no-curve", "--epochs", 1, "--checkpoint", "run.pt")
    done = run(tmp_path, data, "--resume", "run.pt", "--lr", 0.5, code=1)
    assert "leave out what differs: lr 0.5 (it has 0.004)" in done.stderr
    done = run(tmp_path, data, "--resume", "run.pt", "--epochs", 2, code=1)
    assert "epochs 2 (it has 1)" in done.stderr  # one cycle of the learning rate cannot be made longer
    done = run(tmp_path, "--data", "digits", "--resume", "run.pt", code=1)
    assert "data digits (it has mnist)" in done.stderr
    half = (tmp_path / "run.pt").read_bytes()[:5000]
    (tmp_path / "run.pt").write_bytes(half)
    done = run(tmp_path, data, "--resume", "run.pt", code=1)
    assert "cut short" in done.stderr and "Traceback" not in done.stderr
    assert (tmp_path / "run.pt").read_bytes() == half


@pytest.mark.parametrize("preset, least", [("default", 0.98), ("classic", 0.935)])
def test_real_mnist_reaches_its_numbers(tmp_path, mnist_source, preset, least):
    out = run(tmp_path, mnist_source, "--preset", preset, "--no-curve", "--no-checkpoint").stdout
    assert float(re.findall(r"^Test accuracy after \d+ epochs: (.*)$", out, re.MULTILINE)[-1]) >= least
