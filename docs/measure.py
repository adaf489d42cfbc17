"""Measure what the book's pages show, and write it to docs/measured/. Run it with nothing else on the machine.

    python docs/measure.py steps                                     training steps beside PyTorch's
    python docs/measure.py ladder                                    every rung of the convolution ladder
    python docs/measure.py parity                                    the proof table
    python docs/measure.py weights                                   initial values, optimisers, schedules beside PyTorch's
    python docs/measure.py training mnist experiments/mnist_mlp.py   a training: the program, then its options

The pages draw and print these files, so that no figure in the book was typed by hand. All but ``training`` need
PyTorch (``make test`` installs it).
"""

from __future__ import annotations

import argparse
import json
import platform
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
MEASURED = ROOT / "docs" / "measured"
sys.path.insert(0, str(ROOT))


def about(command: str, options: argparse.Namespace) -> dict[str, str]:
    """The machine, the libraries, the command that wrote the file, and what its reader has to know."""
    import numpy as np

    from benchmarks.run import machine

    told = {"machine": machine(), "numpy": np.__version__, "system": platform.system(), "command": command}
    return {**told, "note": options.note} if options.note else told


def write(name: str, content: dict[str, Any]) -> None:
    """A small JSON file, one line for each entry of a list, so that a change can be read."""
    text = json.dumps(content, indent=1)
    text = re.sub(r"\[\s+([^\[\]{}]*?)\s+\]", lambda m: "[" + re.sub(r"\s*\n\s*", " ", m.group(1)) + "]", text)
    path = MEASURED / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text + "\n", encoding="utf-8")
    print(f"wrote {path.relative_to(ROOT)}")


def steps(options: argparse.Namespace) -> None:
    """benchmarks/run.py's own file, with what a reader does not need left out, and the ratios on one thread each."""
    rows = steps_of(run_benchmarks())
    for row, alone in zip(rows, steps_of(run_benchmarks("--threads", "1"))):
        row["one_thread_ratio"] = alone["ratio"]
    write("training_steps.json", {"about": about("python docs/measure.py steps", options), "steps": rows})


def run_benchmarks(*arguments: str) -> list[dict[str, Any]]:
    """What benchmarks/run.py measures."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "steps.json"
        subprocess.run([sys.executable, ROOT / "benchmarks" / "run.py", "--json", file, *arguments], check=True)
        return json.loads(file.read_text())["results"]


def steps_of(results: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The median of the rounds for each workload."""
    from statistics import median

    found = []
    for result in results:
        row = {"workload": result["workload"], "ratio": round(result["ratio"], 3)}
        for library in ("ndl", "torch"):
            row[f"{library}_ms"] = round(median(m["ms"] for m in result[library]), 3)
            row[f"{library}_mib"] = round(median(m["peak_mib"] for m in result[library]))
        found.append(row)
    return found


def ladder(options: argparse.Namespace) -> None:
    """The rungs on the convolutions of layers_benchmark.py, with what limits this machine: products and memory."""
    import numpy as np

    import ndl
    from experiments import layers_benchmark as bench

    block = np.ones(1 << 25, np.float32)  # 128 MiB, far more than any cache holds
    target = block.copy()  # touched once, so that its pages are there
    copied = 2 * block.nbytes / bench.best(lambda: np.copyto(target, block), options.seconds)
    content: dict[str, Any] = {
        "about": about("python docs/measure.py ladder", options),
        "threads": ndl.get_num_threads(),
        "peak_gflops": round(bench.matrix_peak(options.seconds) / 1e9, 1),
        "memory_gb_per_s": round(copied / 1e9, 1),
        "layers": [],
    }
    pytorch = bench.in_pytorch(options.seconds)
    for layer in bench.LAYERS:
        if layer.kind != "conv2d":
            continue
        use_rung, names = bench.rungs_of(layer)
        errors = bench.consistency(layer, names, use_rung)
        rungs = []
        for name in names:
            if name in bench.LOOPS and layer.operations() > 3e8:
                continue  # minutes
            with use_rung(name):
                forward, backward = bench.measure(ndl, layer, options.seconds)
            times = {"forward_ms": round(forward * 1e3, 3), "backward_ms": round(backward * 1e3, 3)}
            rungs.append({"rung": name, **times, "error": float(f"{errors[name]:.1e}")})
        theirs = [round(t * 1e3, 3) for t in pytorch.get(layer.name, ())]
        content["layers"].append(
            {"layer": layer.name, "operations": layer.operations() * 3, "rungs": rungs, "pytorch_ms": theirs}
        )
    write("ladder.json", content)


def parity(options: argparse.Namespace) -> None:
    """The proof table: each block's largest errors. The full table is printed by ``python -m ndl.verify``."""
    from ndl.verify.command import prove_by_name
    from ndl.verify.registry import all_cases
    from ndl.verify.table import COLUMNS, MARKS, groups, total

    rows = [prove_by_name(name, options.configurations, 0, True, False) for name in all_cases()]
    found, marks = [], {}
    for name, members in groups(rows).items():
        sum_ = total(name, members)
        if sum_.notes:
            marks[name] = "".join(mark for note, mark in MARKS.items() if note in sum_.notes)
        row: list[Any] = [name, sum_.configurations, "proven" if sum_.ok else "not proven"]
        for prefixes in COLUMNS.values():
            errors = [e for key, e in sum_.errors.items() if key.startswith(prefixes)]
            row.append(f"{max(errors):.0e}" if errors else "")
        numerical = list((sum_.numerical or {}).values())
        row.append(f"{max(numerical):.0e}" if numerical else "")
        found.append(row)
    head = ["name", "configurations", "verdict", *COLUMNS, "numerical"]
    write(
        "parity.json",
        {
            "about": about(f"python docs/measure.py parity --configurations {options.configurations}", options),
            "head": head,
            "rows": found,
            "marks": marks,
            "notes": {mark: note for note, mark in MARKS.items()},
        },
    )


INITIAL = {  # every function of nn.init with its options, on a matrix, a convolution's weights, or both
    "uniform_": ({"a": -1.0, "b": 2.0}, "both"),
    "normal_": ({"mean": 1.0, "std": 0.5}, "both"),
    "trunc_normal_": ({"std": 0.7, "a": -1.0, "b": 1.5}, "both"),
    "xavier_uniform_": ({"gain": 1.5}, "both"),
    "xavier_normal_": ({}, "both"),
    "kaiming_uniform_": ({"a": 0.2}, "both"),
    "kaiming_normal_": ({"nonlinearity": "relu", "mode": "fan_out"}, "both"),
    "orthogonal_": ({"gain": 2.0}, "both"),
    "sparse_": ({"sparsity": 0.35}, "matrix"),
    "eye_": ({}, "matrix"),
    "dirac_": ({}, "convolution"),
}
STARTS = {  # what a block's parameters begin with
    "Linear": (20, 30),
    "Conv2d": (4, 8, 3),
    "ConvTranspose2d": (4, 8, 3),
    "Embedding": (11, 7),
    "RNN": (5, 6),
    "LSTM": (5, 6),
    "GRU": (5, 6),
    "MultiheadAttention": (12, 3),
    "TransformerEncoderLayer": (12, 3),
}


def weights(options: argparse.Namespace) -> None:
    """What weights begin with from one seed, and where optimisers and schedulers take them: ndl's beside PyTorch's."""
    from ndl.verify.training import OPTIMIZERS, tolerance, training_errors

    found = []
    for name, (moved, rates) in training_errors(options.steps).items():
        kind, settings = OPTIMIZERS.get(name, ("", {}))
        ok = moved <= (tolerance(name) if kind else 1e-12) and rates == 0
        told = ", ".join(f"{key} {value}" for key, value in settings.items())
        found.append([name, told, f"{moved:.0e}", f"{rates:.0e}", "proven" if ok else "not proven"])
    head = ["optimiser or scheduler", "options", f"weights after {options.steps} steps", "learning rates", "verdict"]
    initial = [initial_row(f"nn.init.{name}", how) for name, how in fillings().items()]
    initial += [initial_row(f"nn.{name}", how) for name, how in beginnings().items()]
    write(
        "weights.json",
        {
            "about": about(f"python docs/measure.py weights --steps {options.steps}", options),
            "steps": {"head": head, "rows": found},
            "initial": {"head": ["initial values", "float64", "float32", "verdict"], "rows": initial},
        },
    )


def fillings() -> dict[str, Callable[[Any, Any], list[Any]]]:
    """For every function of nn.init what it writes, given a library and a type."""
    shapes = {"matrix": [(20, 30)], "convolution": [(8, 4, 3, 3)], "both": [(20, 30), (8, 4, 3, 3)]}

    def filling(name: str) -> Callable[[Any, Any], list[Any]]:
        settings, kind = INITIAL[name]
        return lambda T, dtype: [
            getattr(T.nn.init, name)(T.empty(shape, dtype=dtype), **settings) for shape in shapes[kind]
        ]

    return {name: filling(name) for name in INITIAL}


def beginnings() -> dict[str, Callable[[Any, Any], list[Any]]]:
    """For every block the parameters that it begins with, given a library and a type."""

    def beginning(name: str) -> Callable[[Any, Any], list[Any]]:
        return lambda T, dtype: list(getattr(T.nn, name)(*STARTS[name], dtype=dtype).parameters())

    return {name: beginning(name) for name in STARTS}


def initial_row(name: str, how: Callable[[Any, Any], list[Any]]) -> list[str]:
    """The largest relative error in float64 and in float32, from the same seed."""
    import torch

    import ndl
    from ndl.verify.parity import relative_error

    errors = []
    for dtype in ("float64", "float32"):
        made = []
        for T in (ndl, torch):
            T.manual_seed(0)
            made.append([t.detach().numpy() for t in how(T, getattr(T, dtype))])
        errors.append(max(relative_error(a, b) for a, b in zip(*made, strict=True)))
    ok = errors[0] <= 1e-12 and errors[1] <= 1e-5
    return [name, *(f"{e:.0e}" for e in errors), "proven" if ok else "not proven"]


def training(options: argparse.Namespace) -> None:
    """Run an experiment, and keep its settings, its epochs, and about 200 points of its loss."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "net.pt"
        command = [options.program, *options.options]
        run = [sys.executable, *command, "--checkpoint", str(file), "--no-curve"]
        done = subprocess.run(run, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
        print(done.stdout, end="")
        content = training_of(file, done.stdout)
    # Where the data lay is nobody's business.
    shown = " ".join(["python", options.program, *(part for part in options.options if not Path(part).exists())])
    write(f"trainings/{options.name}.json", {"about": about(shown, options), **content})


def training_of(checkpoint: Path, printed: str) -> dict[str, Any]:
    """What a checkpoint tells of its training."""
    import resource

    import ndl
    from ndl.training.checkpoint import read_checkpoint
    from ndl.training.history import History

    state = read_checkpoint(checkpoint)
    history = History()
    history.load_state_dict(state["history"])
    smooth = history.smoothed_losses()
    every = max(1, len(smooth) // 200)
    parameters = sum(t.numel() for t in state["model"].values() if isinstance(t, ndl.Tensor) and t.is_floating_point())
    return {
        "settings": state["settings"],
        "numbers": parameters,  # parameters and buffers
        "seconds": round(history.seconds, 1),
        "peak_mib": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024,  # KiB on Linux
        "epochs": [{k: rounded(v) for k, v in vars(record).items()} for record in history.epochs],
        "loss_every": every,
        "losses": [round(float(v), 4) for v in smooth[::every]],
        "closing": [line for line in printed.splitlines() if line.startswith("Test accuracy")],
        "sample": sample_of(printed),
    }


def sample_of(printed: str) -> str:
    """What a language model wrote at the end of its program's output; nothing for other programs."""
    _, found, rest = printed.rpartition("Validation loss after ")
    return rest.partition("\n")[2].strip()[:600] if found else ""


def rounded(value: Any) -> Any:
    """Four digits behind the point are more than a training repeats."""
    if isinstance(value, list):
        return [rounded(v) for v in value]
    return float(f"{value:.5g}") if isinstance(value, float) else value


def main() -> None:
    """Choose what to measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--note", default="", help="shown beside the figures, such as: with a browser running")
    choices = parser.add_subparsers(dest="what", required=True)
    choices.add_parser("steps")
    choices.add_parser("ladder").add_argument("--seconds", type=float, default=1.0, help="for each time (1)")
    choices.add_parser("parity").add_argument("--configurations", type=int, default=10, help="for each case (10)")
    choices.add_parser("weights").add_argument("--steps", type=int, default=100, help="of every optimiser (100)")
    one = choices.add_parser("training")
    one.add_argument("name", help="of the file in docs/measured/trainings")
    one.add_argument("program", help="experiments/….py")
    one.add_argument("options", nargs=argparse.REMAINDER, help="handed to the program")
    options = parser.parse_args()
    {"steps": steps, "ladder": ladder, "parity": parity, "weights": weights, "training": training}[options.what](
        options
    )


if __name__ == "__main__":
    main()
