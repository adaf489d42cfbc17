"""``python -m ndl.run``: a script finds what ``python script.py`` gives it, and ``torch`` is ndl for it alone."""

from __future__ import annotations

import itertools
import operator
import os
import re
import runpy
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import torch
from torch.torch_version import TorchVersion

import ndl
import ndl.run.version
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


def test_an_interrupt_shows_the_scripts_lines_and_no_others(tmp_path: Path) -> None:
    write(
        tmp_path / "script.py",
        """
        import os, signal, torch
        try:
            os.kill(os.getpid(), signal.SIGINT)
            while True:
                torch.ones(2)
        finally:
            print("saved")
        """,
    )
    done = start("script.py", folder=tmp_path)
    assert (done.returncode, done.stdout) == (130, "saved\n")
    lines = done.stderr.splitlines()
    assert lines[0].startswith("Traceback") and "script.py" in lines[1] and lines[-1] == "KeyboardInterrupt"
    assert "ndl/run" not in done.stderr and "runpy" not in done.stderr


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
    "import torch; torch.inverse(torch.eye(2)).sum().item()": "AttributeError: torch.inverse is not in ndl",
    "import torch; torch.distributions.Beta(1.0, 1.0).sample().item()": (
        "AttributeError: torch.distributions.Beta is not in ndl"
    ),
    "import torch; torch.fft.rfft(torch.ones(2)).abs().sum()": "AttributeError: torch.fft.rfft is not in ndl",
    "from torch import stft": "ImportError: torch.stft is not in ndl",
    "from torch.nn import SyncBatchNorm": "ImportError: torch.nn.SyncBatchNorm is not in ndl",
    "import torch.nn as nn; nn.SyncBatchNorm(3)": "AttributeError: torch.nn.SyncBatchNorm is not in ndl",
    "from torch.utils.tensorboard import SummaryWriter": "ModuleNotFoundError: torch.utils.tensorboard is not in ndl",
    "import torch; torch.linalg.inv(torch.eye(2))": "AttributeError: torch.linalg.inv is not in ndl",
    "from torch.func import vmap": "ImportError: torch.func.vmap is not in ndl",
    "import torch; torch.table": "AttributeError: torch.table is not in ndl",
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


@pytest.mark.parametrize(
    "version", ["0.4.1", "1.9", "2", "2.9.1", "2.13", "2.13.0", "2.13.0+cpu", "2.14.0.dev1", "10.0"]
)
def test_the_version_is_that_of_the_interface(version: str) -> None:
    with as_torch() as ours:
        ours_version = ours.__version__
    assert ours_version.split("+")[0] == torch.__version__.split("+")[0]
    assert ours_version.split("+ndl")[1] == ndl.__version__ == ndl.version.__version__ == "0.1.0"
    theirs = TorchVersion(torch.__version__.split("+")[0] + "+ndl0.1.0")
    numbers = tuple(int(n) for n in re.findall(r"\d+", version)[:3])
    for other in (version, numbers, TorchVersion(version)):
        for compare in (operator.lt, operator.le, operator.eq, operator.ne, operator.gt, operator.ge):
            assert compare(ours_version, other) == compare(theirs, other), (compare, other)


def test_a_version_among_others() -> None:
    rising = ["2.0.0.dev20230101", "2.0.0a0", "2.0.0rc1", "2.0.0", "2.0.0+cpu", "2.0.0.post1", "2.0.1", "2.10.0", "v3"]
    for make in (ndl.run.version.TorchVersion, TorchVersion):
        versions = [make(text) for text in rising]
        assert all(a < b and b > a and a != b for a, b in itertools.pairwise(versions))
        assert make("2.0") == "2.0.0" == make("2.0.0") and make("x.y") == "x.y" and make("x.y") < "y"
        assert isinstance(make("2.0"), str) and {make("2.0"): 1}["2.0"] == 1
        with pytest.raises(TypeError):
            operator.lt(make("2.0"), 3)


def test_names_are_printed_as_the_script_knows_them(tmp_path: Path) -> None:
    script = write(
        tmp_path / "script.py",
        """
        import torch
        x = torch.ones(2, 3, dtype=torch.float64)
        said = [x.shape, x.dtype, x.type(), x, x.layout, torch.channels_last, x.max(0), torch.nn.ParameterDict({"x": x})]
        """,
    )
    theirs = [str(s) for s in runpy.run_path(str(script))["said"]]
    with as_torch():
        said = runpy.run_path(str(script))["said"]
        ours = [str(s) for s in said]
        with as_torch():
            pass
        assert str(said[0]) == "torch.Size([2, 3])"
    assert ours == theirs
    assert str(said[0]) == "ndl.Size([2, 3])" and str(said[1]) == "ndl.float64"


def test_what_scripts_for_several_devices_import(tmp_path: Path) -> None:
    script = write(
        tmp_path / "script.py",
        """
        import torch
        import torch.nn as nn
        import torch.nn.parallel
        import torch.backends.cudnn as cudnn
        import torch.distributed as dist
        import torch.multiprocessing as mp
        import torch.utils.checkpoint as cp
        import torch.utils.data.distributed
        from torch.distributed import destroy_process_group, init_process_group
        from torch.nn.parallel import DistributedDataParallel as DDP
        from torch.utils.data.distributed import DistributedSampler

        model = nn.DataParallel(nn.Linear(2, 2))
        alone = not (dist.is_available() and dist.is_initialized()) and not isinstance(model, DDP)
        loader = torch.utils.data.DataLoader(range(4), sampler=DistributedSampler(range(4), 2, 1, shuffle=False))
        found = alone, list(model.state_dict()), type(model.module), [x.item() for x in loader], mp.cpu_count() > 0
        y = cp.checkpoint(model, torch.ones(1, 2), use_reentrant=False)
        """,
    )
    with as_torch():
        names = runpy.run_path(str(script))
        assert names["found"] == (True, ["module.weight", "module.bias"], ndl.nn.Linear, [1, 3], True)
        assert names["y"].requires_grad
        for refused, error in (
            (names["init_process_group"], RuntimeError),
            (names["dist"].get_rank, ValueError),
            (names["dist"].barrier, ValueError),
            (lambda: names["DDP"](names["model"]), RuntimeError),
        ):
            with pytest.raises(error, match="ndl computes in one process"):
                refused()


def test_a_script_that_starts_processes(tmp_path: Path) -> None:
    write(
        tmp_path / "script.py",
        """
        import torch, torch.multiprocessing as mp

        def work(rank, x):
            assert torch.ones(2).sum() == 2 and x == 3, rank
            if rank == 2:
                raise SystemExit(4)

        if __name__ == "__main__":
            mp.set_sharing_strategy("file_system")
            mp.spawn(work, args=(3,), nprocs=2)
            processes = mp.spawn(work, args=(3,), nprocs=1, join=False)
            [p.join() for p in processes]
            print(len(processes))
            mp.spawn(work, args=(3,), nprocs=3, start_method="fork")
        """,
    )
    done = start("script.py", folder=tmp_path)
    assert (done.returncode, done.stdout) == (1, "1\n")
    assert done.stderr.splitlines()[-1] == "RuntimeError: process 2 terminated with exit code 4"


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
