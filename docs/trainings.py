"""What the page of experiments shows of the trainings in docs/measured/trainings: whatever files are there.

``python docs/measure.py training NAME PROGRAM OPTIONS`` writes them. A file belongs to the data set with which its name
begins: mnist, cifar10, shakespeare.
"""

import json
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from blocks.parity import Table

FOLDER = Path(__file__).resolve().parent / "measured" / "trainings"
CLASSES = {
    "mnist": [str(digit) for digit in range(10)],
    "cifar10": ["plane", "car", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"],
}
Runs = dict[str, dict[str, Any]]


def read(data: str = "", folder: Path = FOLDER) -> Runs:
    """The trainings of a data set (of all without a name): those with the program's own settings first."""
    found = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in folder.glob(f"{data}*.json")}
    order = [*CLASSES, "shakespeare"]
    place = lambda name: (next((k for k, d in enumerate(order) if name.startswith(d)), len(order)), len(name), name)
    return {name: found[name] for name in sorted(found, key=place)}


def duration(seconds: float) -> str:
    """Seconds below two minutes, else minutes."""
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def results(runs: Runs) -> Table:
    """What was reached, in which time and memory."""
    head = ["training", "numbers", "epochs", "time", "peak memory", "test loss", "test accuracy", "of six views"]
    rows = []
    for name, run in runs.items():
        last, about = run["epochs"][-1], run["about"]
        views = [line.rpartition(" ")[2] for line in run["closing"] if "six views" in line]
        time = duration(run["seconds"]) + (" *" if "note" in about else "")
        reached = [_share(last["test_loss"]), _share(last["test_accuracy"]), views[-1] if views else ""]
        sizes = [f"{run['numbers']:,}", str(len(run["epochs"])), time, f"{run['peak_mib']} MiB"]
        rows.append([name, *sizes, *reached])
    return Table(head, rows, _told(runs))


def _told(runs: Runs) -> str:
    """The machine, and what has to be known of single figures."""
    if not runs:
        return "Nothing was measured yet: python docs/measure.py training NAME PROGRAM OPTIONS"
    machines = sorted({f"{run['about']['machine']}, NumPy {run['about']['numpy']}" for run in runs.values()})
    notes = sorted({run["about"]["note"] for run in runs.values() if "note" in run["about"]})
    return "; ".join(machines) + "".join(f". * {note}" for note in notes)


def settings(runs: Runs) -> Table:
    """A row for each setting, a column for each training."""
    keys = list(dict.fromkeys(key for run in runs.values() for key in run["settings"] if key != "data"))
    rows = [[key, *(str(run["settings"].get(key, "")) for run in runs.values())] for key in keys]
    return Table(
        ["setting", *runs], rows, "\n".join(f"{name}: {run['about']['command']}" for name, run in runs.items())
    )


def classes(runs: Runs, data: str) -> Table:
    """The share of each class's test examples that was told right."""
    rows = []
    for name, run in runs.items():
        shares = run["epochs"][-1]["class_accuracy"]
        if len(shares) == len(CLASSES[data]):
            rows.append([name, *map(_share, shares)])
    return Table(["training", *CLASSES[data]], rows, "")


def changes(runs: Runs) -> Table:
    """Each training beside the first: which settings are others, and what became of it."""
    if not runs:
        return Table([], [], "")
    first, *others = runs
    rows = [[first, "", *_outcome(runs[first])]]
    for name in others:
        mine, theirs = runs[name]["settings"], runs[first]["settings"]
        other = [key for key in mine if mine[key] != theirs.get(key)]
        told = ", ".join(f"{key} {mine[key]}" + (f" ({theirs[key]})" if key in theirs else "") for key in other)
        rows.append([name, told, *_outcome(runs[name])])
    return Table(["training", f"other than in {first} (there)", "test loss", "test accuracy", "time"], rows, "")


def _outcome(run: dict[str, Any]) -> list[str]:
    last = run["epochs"][-1]
    return [_share(last["test_loss"]), _share(last["test_accuracy"]), duration(run["seconds"])]


def curves(runs: Runs) -> Any:
    """Left the loss by epoch, right the test accuracy (for a text, the test loss) by the time that training took."""
    if not runs:
        return None
    figure, (left, right) = plt.subplots(1, 2, figsize=(8.5, 3.2))
    plt.close(figure)  # taken off pyplot's list, which would show it a second time
    for k, (name, run) in enumerate(runs.items()):
        epochs, colour = run["epochs"], f"C{k}"
        number = [e["epoch"] for e in epochs]
        left.plot(np.linspace(0, number[-1], len(run["losses"])), run["losses"], color=colour, linewidth=1, label=name)
        key = "test_loss" if epochs[-1]["test_accuracy"] is None else "test_accuracy"
        if epochs[-1]["test_loss"] is not None:
            left.plot(number, [e["test_loss"] for e in epochs], "o", color=colour, markersize=4)
            minutes = np.cumsum([e["seconds"] for e in epochs]) / 60
            right.plot(minutes, [e[key] for e in epochs], "o-", color=colour, markersize=4, linewidth=1, label=name)
            right.set_ylabel(key.replace("_", " "))
    left.set(xlabel="epoch", ylabel="cross-entropy (nats)")
    high = left.get_ylim()[1]
    least = min(min(run["losses"]) for run in runs.values())
    if high > 10 * least:
        ticks = [digit * 10.0**power for power in range(-4, 2) for digit in (1, 2, 5)]
        left.set(yscale="log", yticks=[tick for tick in ticks if least / 2 <= tick <= high])
        left.yaxis.set_major_formatter("{x:g}")
        left.minorticks_off()
    right.set(xlabel="minutes of training")
    right.locator_params(axis="x", nbins=6)
    left.legend(fontsize=8)
    return figure
