"""What all tests share: how Hypothesis draws, and where real data lies."""

import importlib.util
import os
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).resolve().parent.parent
# The layout that $NDL_TEST_DATA must have, too: mnist/, cifar10_jpeg.npz, shakespeare/.
TEST_DATA = Path(os.environ.get("NDL_TEST_DATA") or ROOT.parent / "shared" / "data")

# No deadline, since a busy machine is not a defect. In CI the same examples every time, so that a change is
# judged by what it changed; elsewhere new ones, and those that failed are tried again first.
settings.register_profile("ndl", deadline=None, max_examples=50, derandomize="CI" in os.environ)
settings.register_profile("thorough", deadline=None, max_examples=1000)
settings.load_profile("ndl")


def pytest_configure(config: pytest.Config) -> None:
    if importlib.util.find_spec("torch") is None:
        raise pytest.UsageError(
            "the tests compare with PyTorch, which this environment does not have: run `make test`, "
            "or `python tools/install_torch.py` to put its CPU build here"
        )


def real(what: str, path: Path) -> Path:
    if not path.exists():
        pytest.skip(f"real {what} not found at {path} ($NDL_TEST_DATA names another folder)")
    return path


@pytest.fixture(scope="session")
def mnist_source() -> Path:
    """The folder of MNIST's four published files, gzipped."""
    return real("MNIST", TEST_DATA / "mnist" / "train-images-idx3-ubyte.gz").parent


@pytest.fixture(scope="session")
def cifar10_source() -> Path:
    """CIFAR-10, each picture through JPEG, as one .npz file."""
    return real("CIFAR-10", TEST_DATA / "cifar10_jpeg.npz")


@pytest.fixture(scope="session")
def shakespeare_source() -> Path:
    """The text file of Tiny Shakespeare."""
    return real("Tiny Shakespeare", TEST_DATA / "shakespeare" / "input.txt")
