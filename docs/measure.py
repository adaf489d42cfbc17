"""Measure what the book's pages show, and write it to docs/measured/. Run it with nothing else on the machine.

    python docs/measure.py steps                                     training steps beside PyTorch's
    python docs/measure.py ladder                                    every rung of the convolution ladder
    python docs/measure.py parity                                    the proof table
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
    """benchmarks/run.py's own file, with what a reader does not need left out."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "steps.json"
        subprocess.run([sys.executable, ROOT / "benchmarks" / "run.py", "--json", file], check=True)
        results = json.loads(file.read_text())["results"]
    write("training_steps.json", {"about": about("python docs/measure.py steps", options), "steps": steps_of(results)})


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
    from ndl.verify.table import COLUMNS, groups, total

    rows = [prove_by_name(name, options.configurations, 0, True, False) for name in all_cases()]
    found = []
    for name, members in groups(rows).items():
        sum_ = total(name, members)
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
        },
    )


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
    shown = " ".join(["python", *(part for part in command if not Path(part).is_dir())])
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
    }


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
    one = choices.add_parser("training")
    one.add_argument("name", help="of the file in docs/measured/trainings")
    one.add_argument("program", help="experiments/….py")
    one.add_argument("options", nargs=argparse.REMAINDER, help="handed to the program")
    options = parser.parse_args()
    {"steps": steps, "ladder": ladder, "parity": parity, "training": training}[options.what](options)


if __name__ == "__main__":
    main()
