"""What is not needed is not imported."""

import subprocess
import sys
from pathlib import Path

import pytest

from ndl.datasets.optional import optional

ROOT = Path(__file__).resolve().parent.parent.parent


def test_importing_the_datasets_imports_no_other_library() -> None:
    asks = "import sys, ndl.datasets; print(*{name.partition('.')[0] for name in sys.modules})"
    loaded = subprocess.run([sys.executable, "-c", asks], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "numpy" in loaded.stdout.split()
    assert not {"requests", "tqdm", "sklearn", "scipy", "torch"} & set(loaded.stdout.split())


def test_a_library_that_is_there_is_handed_on() -> None:
    assert optional("json.decoder", "Reading").JSONDecoder().decode("[1]") == [1]


def test_a_missing_library_is_named_with_its_purpose() -> None:
    with pytest.raises(ImportError, match=r"^Reading needs nowhere_to_be_found, .* pip install 'ndl\[train\]'$"):
        optional("nowhere_to_be_found.part", "Reading")
