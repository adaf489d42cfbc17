"""The pictures of the README, drawn from docs/measured/: python docs/draw.py

docs/_static/ladder.svg: the rungs of the convolution ladder. docs/_static/training_steps.svg: training steps beside
PyTorch's. Letters and lines are grey on nothing, so both read on white and on black.
"""

import json
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("svg")
from matplotlib import pyplot as plt

DOCS = Path(__file__).resolve().parent


def read(name: str) -> dict[str, Any]:
    """A file of figures."""
    return json.loads((DOCS / "measured" / name).read_text(encoding="utf-8"))


def save(figure: Any, name: str) -> None:
    """The same bytes from the same figures: no date."""
    figure.savefig(DOCS / "_static" / name, metadata={"Date": None})
    plt.close(figure)
    print(f"drew docs/_static/{name}")


def ladder() -> None:
    """Forward and backward time of every rung on the first layer, on which the loops were timed, too."""
    layer = read("ladder.json")["layers"][0]
    rungs = layer["rungs"]
    figure, axis = plt.subplots(figsize=(8, 0.36 * len(rungs) + 1.2))
    times = [r["forward_ms"] + r["backward_ms"] for r in rungs]
    axis.barh(range(len(rungs)), times, 0.62)
    for y, t in enumerate(times):
        axis.text(t * 1.12, y, f"{t:,.0f} ms" if t >= 100 else f"{t:.3g} ms", va="center", fontsize=8)
    if layer["pytorch_ms"]:
        theirs = sum(layer["pytorch_ms"])
        axis.axvline(theirs, color="C1", linestyle="--", linewidth=1.2, label=f"PyTorch, {theirs:.3g} ms")
        axis.legend(loc="lower right", fontsize=8)
    axis.set_yticks(range(len(rungs)), [r["rung"].replace("_", " ") for r in rungs])
    axis.invert_yaxis()
    axis.set(
        xscale="log",
        xlim=(min([*times, sum(layer["pytorch_ms"]) or times[0]]) / 2, max(times) * 4),
        xlabel="forward and backward, milliseconds (logarithmic)",
    )
    axis.set_title(layer["layer"], fontsize=9)
    save(figure, "ladder.svg")


def training_steps() -> None:
    """How long ndl takes where PyTorch takes 1."""
    steps = read("training_steps.json")["steps"]
    figure, axis = plt.subplots(figsize=(8, 0.36 * len(steps) + 1.0))
    colours = ["C2" if s["ratio"] <= 1 else "C1" for s in steps]
    axis.barh(range(len(steps)), [s["ratio"] for s in steps], 0.62, color=colours)
    for y, s in enumerate(steps):
        told = f"{s['ndl_ms']:.3g} ms, PyTorch {s['torch_ms']:.3g} ms"
        axis.text(max(s["ratio"], 1) + 0.04, y, told, va="center", fontsize=8)
    axis.axvline(1, color="#7f8790", linestyle="--", linewidth=1)
    axis.set_yticks(range(len(steps)), [s["workload"].split(", 4 heads")[0] for s in steps])
    axis.invert_yaxis()
    axis.set(xlim=(0, max(s["ratio"] for s in steps) + 1.1), xlabel="time of a training step, PyTorch = 1")
    save(figure, "training_steps.svg")


if __name__ == "__main__":
    plt.style.use(DOCS / "matplotlibrc")
    ladder()
    training_steps()
