"""``python -m ndl.run``: a script finds what ``python script.py`` gives it, and ``torch`` is ndl for it alone."""

from __future__ import annotations

import os
import re
import runpy
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import torch

import ndl
from ndl.run import as_torch
from ndl.run.missing import explain

ROOT = Path(__file__).resolve().parent.parent


def write(path: Path, code: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(textwrap.dedent(code))
    return path


def start(*arguments: object, folder: Path) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "ndl.run", *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120)


def test_as_a_script(tmp_path: Path) -> None:
    write(tmp_path / "code" / "helper.py", "from torch import Tensor")
    script = write(
        tmp_path / "code" / "script.py",
        """
        import pickle, sys, threading
        import torch, torch.nn as nn, torch.nn.functional as F
        import torch.utils.data, torch.optim.lr_scheduler, torch.nn.modules.conv
        from torch.nn.utils.rnn import pad_sequence
        from torch import Tensor, nn as also_nn, optim
        import helper, ndl

        class Mine:
            pass

        def check():
            assert torch is ndl and torch.nn is nn is also_nn is ndl.nn and F is ndl.nn.functional
            assert nn.__name__ == nn.__spec__.name == "ndl.nn"
            assert helper.Tensor is Tensor is ndl.Tensor and isinstance(nn.Linear(2, 3).weight, Tensor)
            assert torch.nn.modules.conv.Conv2d is nn.Conv2d
            assert __name__ == "__main__" and type(pickle.loads(pickle.dumps(Mine()))) is Mine
            assert sys.modules["__main__"].Mine is Mine
            import torch.distributions as D
            assert D is ndl.distributions
            print(torch.ones(3).sum().item())

        thread = threading.Thread(target=check)
        thread.start()
        thread.join()
        print(sys.argv, __file__, sys.path[0], sep="|")
        sys.exit(7)
        """,
    )
    before = script.read_bytes()
    done = start("code/script.py", "--lr", "0.1", folder=tmp_path)
    assert done.returncode == 7, done.stderr
    folder = os.path.realpath(tmp_path / "code")
    assert done.stdout.split("\n")[:2] == [
        "3.0",
        f"['code/script.py', '--lr', '0.1']|{tmp_path / 'code' / 'script.py'}|{folder}",
    ]
    assert script.read_bytes() == before


def test_as_a_module_and_in_spawned_processes(tmp_path: Path) -> None:
    write(tmp_path / "project" / "__init__.py", "")
    write(tmp_path / "project" / "size.py", "import torch\nN = torch.tensor(3).item()")
    write(
        tmp_path / "project" / "train.py",
        """
        import multiprocessing, sys
        import torch
        from .size import N

        def work(i):
            return torch.__name__, float(torch.full((N,), i).sum()), sys.argv[1:]

        if __name__ == "__main__":
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                print(pool.map(work, [1.0, 2.0]), sys.argv)
        """,
    )
    done = start("-m", "project.train", "-x", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    script = tmp_path / "project" / "train.py"
    assert done.stdout.strip() == f"[('ndl', 3.0, ['-x']), ('ndl', 6.0, ['-x'])] ['{script}', '-x']"


def test_traceback_shows_the_scripts_lines(tmp_path: Path) -> None:
    write(tmp_path / "script.py", "import torch\n\n\ndef f():\n    return torch.fft.rfft(torch.ones(3))\n\n\nf()\n")
    done = start("script.py", folder=tmp_path)
    assert done.returncode == 1
    lines = done.stderr.splitlines()
    assert lines[0].startswith("Traceback") and "script.py" in lines[1] and "f()" in lines[2]
    assert re.match(r"AttributeError: torch\.fft\.rfft is not in ndl \(script\.py, line 5\): .*numpy\.fft", lines[-1])
    assert str(ROOT / "ndl") not in done.stderr


def test_usage(tmp_path: Path) -> None:
    done = start("nowhere.py", folder=tmp_path)
    assert done.returncode == 2 and "nowhere.py" in done.stderr and "no such file" in done.stderr
    for options, code in (([], 2), (["--help"], 0), (["-m"], 2), (["-c", "1"], 2)):
        done = start(*options, folder=tmp_path)
        assert done.returncode == code and "usage: python -m ndl.run" in done.stdout + done.stderr


MISSING = {
    "import torch.fft": "ModuleNotFoundError: torch.fft is not in ndl",
    "import torch; torch.fft.rfft(torch.ones(2))": "AttributeError: torch.fft.rfft is not in ndl",
    "import torch as t; y = t.fft": "AttributeError: torch.fft is not in ndl",
    "from torch import stft": "ImportError: torch.stft is not in ndl",
    "from torch.nn import DataParallel": "ImportError: torch.nn.DataParallel is not in ndl",
    "import torch.nn as nn; nn.DataParallel(3)": "AttributeError: torch.nn.DataParallel is not in ndl",
    "from torch.nn.parallel import DistributedDataParallel": "ModuleNotFoundError: torch.nn.parallel is not in ndl",
    "import torchvision.transforms as T": "ModuleNotFoundError: torchvision is not in ndl",
    "import torch; torch.ones(2).frobnicate()": "AttributeError: torch.Tensor.frobnicate is not in ndl",
    "import torch; torch.nn.Linear(1, 2).unit": "AttributeError: Linear.unit is not in ndl",
}


@pytest.mark.parametrize("code", MISSING)
def test_what_is_missing_is_named_with_its_place(code: str, tmp_path: Path) -> None:
    script = write(tmp_path / "script.py", f"\n\n{code}\n")
    with as_torch(), pytest.raises((AttributeError, ImportError)) as caught:
        runpy.run_path(str(script))
    explain(caught.value)
    assert f"{type(caught.value).__name__}: {caught.value}".startswith(f"{MISSING[code]} (script.py, line 3): ")


@pytest.mark.parametrize(
    "code",
    [
        "import nothing_of_that_name",
        "import math; math.nothing",
        "from os import nothing",
        "import torch\nclass A(torch.nn.Module): pass\nA().mine",
        "import torch; torch.ones(2, 3) @ torch.ones(2, 3)",
    ],
)
def test_other_errors_keep_their_words(code: str, tmp_path: Path) -> None:
    script = write(tmp_path / "script.py", code)
    with as_torch(), pytest.raises(Exception) as caught:
        runpy.run_path(str(script))
    before = str(caught.value)
    explain(caught.value)
    assert str(caught.value) == before


def test_a_script_may_ask_first(tmp_path: Path) -> None:
    script = write(
        tmp_path / "script.py",
        """
        import torch
        try:
            import torchvision
        except ImportError:
            torchvision = None
        try:
            from torch.fft import rfft
        except ImportError:
            rfft = None
        found = hasattr(torch, "fft"), hasattr(torch, "tensor"), torchvision, rfft
        """,
    )
    with as_torch():
        assert runpy.run_path(str(script))["found"] == (False, True, None, None)


def test_afterwards_everything_is_as_before() -> None:
    modules, path, finders, arguments = dict(sys.modules), list(sys.path), list(sys.meta_path), list(sys.argv)
    with as_torch() as inside:
        import torch as ours
        import torch.nn.functional as F

        assert inside is ours is ndl and F is ndl.nn.functional
        with as_torch():
            import torch as again

            assert again is ndl
        assert sys.modules["torch"] is ndl
    import torch as theirs

    assert theirs is torch and torch.nn.functional is not F
    assert ndl.nn.__spec__ is not None and ndl.nn.__spec__.name == "ndl.nn"
    assert {k: v for k, v in sys.modules.items() if k.startswith("torch")} == {
        k: v for k, v in modules.items() if k.startswith("torch")
    }
    assert (path, finders, arguments) == (sys.path, sys.meta_path, sys.argv)


def test_worker_options_of_a_dataloader_change_nothing() -> None:
    with as_torch():
        from torch.utils.data import DataLoader, TensorDataset

        data = TensorDataset(ndl.arange(6))
        loader = DataLoader(data, batch_size=4, num_workers=2, pin_memory=True, persistent_workers=True)
        assert [x.tolist() for (x,) in loader] == [[0, 1, 2, 3], [4, 5]]
