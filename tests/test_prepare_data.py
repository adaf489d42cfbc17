"""The program `prepare_data.py` as its user runs it, on the real data."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ndl.datasets import CIFAR10, MNIST

ROOT = Path(__file__).resolve().parent.parent


def run(*arguments: object, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if name != "NDL_DATA_ROOT"}
    return subprocess.run(
        [sys.executable, ROOT / "prepare_data.py", *map(str, arguments)],
        cwd=cwd,
        env=kept | environment,
        capture_output=True,
        text=True,
    )


def test_mnist_goes_to_data_here(mnist_source: Path, tmp_path: Path) -> None:
    done = run("--only", "mnist", "--source", mnist_source, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("SHA-256 right") == 4
    assert len(MNIST(tmp_path / "data")) == 60_000
    assert len(MNIST(tmp_path / "data" / "mnist-784", train=False)) == 10_000


def test_the_variable_moves_the_root(shakespeare_source: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    arguments = ("--only", "shakespeare", "--source", shakespeare_source.parent)
    done = run(*arguments, cwd=tmp_path, NDL_DATA_ROOT=str(elsewhere))
    assert (done.returncode, done.stderr) == (0, "")
    assert [path.name for path in tmp_path.iterdir()] == ["elsewhere"]
    assert (elsewhere / "shakespeare" / "input.txt").read_bytes() == shakespeare_source.read_bytes()


def test_one_failure_does_not_stop_the_others(shakespeare_source: Path, tmp_path: Path) -> None:
    arguments = ("--root", tmp_path, "--source", shakespeare_source.parent)
    done = run(*arguments, cwd=tmp_path)
    assert done.returncode == 1
    assert "error: mnist: --source" in done.stderr
    assert "error: cifar10: --source" in done.stderr
    assert done.stderr.endswith("not prepared: mnist, cifar10\n")
    assert (tmp_path / "shakespeare" / "input.txt").is_file()


@pytest.mark.parametrize("arguments", [("--only", "imagenet"), ("--sauce", "x")])
def test_unknown_options_are_refused(arguments: tuple[str, str], tmp_path: Path) -> None:
    done = run(*arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert arguments[0] in done.stderr
    assert not list(tmp_path.iterdir())


def test_all_of_cifar10_from_the_jpeg_copy(cifar10_source: Path, tmp_path: Path) -> None:
    """The copy's own script writes Python 2's opcodes: what the published files consist of."""
    pytest.importorskip("PIL", reason="unpacking the copy needs Pillow")
    refused = run("--only", "cifar10", "--source", cifar10_source.parent, cwd=tmp_path)
    assert refused.returncode == 1
    assert "A script found among data is not run for you" in refused.stderr
    script = cifar10_source.with_name("make_cifar10.py")
    subprocess.run([sys.executable, script, tmp_path / "made"], check=True, capture_output=True)
    done = run("--only", "cifar10", "--source", tmp_path / "made", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "other checksums" in done.stdout
    train, test = CIFAR10(tmp_path / "data"), CIFAR10(tmp_path / "data", train=False)
    assert train.data.shape == (50_000, 32, 32, 3)
    assert np.bincount(train.targets).tolist() == [5000] * 10
    assert np.bincount(test.targets).tolist() == [1000] * 10
    # JPEG moves single pixels, hardly the means and deviations over all of them.
    scaled = train.data.reshape(-1, 3).astype(np.float32) / 255
    np.testing.assert_allclose(scaled.mean(0, dtype=np.float64), train.mean, atol=2e-3)
    np.testing.assert_allclose(scaled.std(0, dtype=np.float64), train.std, atol=4e-3)
