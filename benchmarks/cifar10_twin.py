"""The CIFAR-10 experiment beside its PyTorch twin: python benchmarks/cifar10_twin.py ROOT [--network quick] [--epochs 1]

The same network, initial weights, batches and recipe (``experiments/cifar10_networks.py``) in both libraries, each in a
process of its own with its default settings, one after the other. Prints the losses of both side by side, how far they
lie apart, the time of an epoch and the test accuracy; draws both loss curves. Run it with nothing else on the machine.
"""

from __future__ import annotations

import argparse
import importlib
import json
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.run import machine  # noqa: E402
from experiments.cifar10_networks import PAD, PRESETS, recipe, shift_and_flip  # noqa: E402
from experiments.program import positive, refuse_picture  # noqa: E402
from ndl.datasets import CIFAR10  # noqa: E402

SETTINGS = {"quick": PRESETS["default"], "classic": PRESETS["classic"]}


def train(library: str, network: str, root: Path, epochs: int, steps: int | None) -> dict[str, Any]:
    """Train in this process; losses and seconds of every step, test accuracy, peak memory."""
    T = importlib.import_module(library)
    pictures, labels = CIFAR10(root, train=True).arrays()
    settings = SETTINGS[network]
    size = settings["batch_size"]
    per_epoch = len(pictures) // size
    model, optimizer, scheduler, loss_function = recipe(T, settings, pictures, epochs * per_epoch)
    rng = np.random.default_rng(0)
    losses: list[float] = []
    seconds: list[float] = []
    model.train()
    for _ in range(epochs):
        order = rng.permutation(len(pictures))
        for k in range(per_epoch if steps is None else min(per_epoch, steps - len(losses))):
            start = time.perf_counter()
            chosen = order[k * size : (k + 1) * size]
            x = pictures[chosen]
            if settings["moved"]:
                down, right = (rng.integers(0, 2 * PAD + 1, (size,)) for _ in range(2))
                x = shift_and_flip(x, down, right, rng.random((size,)) < 0.5)
            optimizer.zero_grad()
            loss = loss_function(model(T.from_numpy(x)), T.from_numpy(labels[chosen]))
            loss.backward()
            optimizer.step()
            if scheduler is not None:
                scheduler.step()
            losses.append(loss.item())
            seconds.append(time.perf_counter() - start)
    return {
        "losses": losses,
        "seconds": seconds,
        "steps_per_epoch": per_epoch,
        "accuracy": accuracy(T, model, root),
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def accuracy(T: Any, model: Any, root: Path) -> float:
    """The share of test pictures that the model tells right."""
    pictures, labels = CIFAR10(root, train=False).arrays()
    model.eval()
    right = 0
    with T.no_grad():
        for k in range(0, len(pictures), 500):
            scores = model(T.from_numpy(pictures[k : k + 500]))
            right += int((scores.argmax(1) == T.from_numpy(labels[k : k + 500])).sum().item())
    return right / len(pictures)


def draw(file: Path, ndl: np.ndarray, torch: np.ndarray, network: str) -> None:
    """Both loss curves, each a running mean over 20 steps."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 4), layout="constrained")
    width = min(20, len(ndl))
    window = np.ones(width) / width
    steps = np.arange(width, len(ndl) + 1)
    axes.plot(steps, np.convolve(torch, window, "valid"), linewidth=4, alpha=0.4, label="PyTorch")
    axes.plot(steps, np.convolve(ndl, window, "valid"), linewidth=1.2, label="ndl")
    axes.set(xlabel="step", ylabel="cross-entropy (nats), mean of 20 steps", title=f"CIFAR-10, {network} network")
    axes.legend()
    figure.savefig(file, dpi=150)


def main() -> None:
    """Run both libraries and report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("root", type=Path, help="the folder cifar-10-batches-py, or the data root it is in")
    parser.add_argument("--network", choices=list(SETTINGS), default="quick")
    parser.add_argument("--epochs", type=positive, default=1, help="for which the recipe's schedule is made")
    parser.add_argument("--steps", type=positive, help="stop after so many steps")
    parser.add_argument("--curve", type=Path, default=Path("twin.png"), help="where the curves go (twin.png)")
    parser.add_argument("--no-curve", dest="curve", action="store_const", const=None, help="draw no curves")
    parser.add_argument("--library", choices=["ndl", "torch"], help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.library is not None:
        result = train(options.library, options.network, options.root, options.epochs, options.steps)
        print(json.dumps(result))
        return
    if options.curve is not None:
        refuse_picture(parser, "curve", options.curve)
    print(machine())
    results = {}
    for library in ("ndl", "torch"):
        done = subprocess.run(
            [sys.executable, __file__, *sys.argv[1:], "--library", library], stdout=subprocess.PIPE, text=True
        )
        if done.returncode != 0:
            raise SystemExit(f"{library} failed")
        results[library] = json.loads(done.stdout.splitlines()[-1])
    ours, theirs = (np.array(results[library]["losses"]) for library in ("ndl", "torch"))
    print(f"{'steps':>13s} {'loss, ndl':>10s} {'PyTorch':>10s}   means")
    for part in np.array_split(np.arange(len(ours)), min(10, len(ours))):
        print(f"{part[0] + 1:6d}-{part[-1] + 1:6d} {ours[part].mean():10.4f} {theirs[part].mean():10.4f}")
    apart = np.abs(ours - theirs)
    print(f"largest difference in the first 10 steps {apart[:10].max():.1e}, in all {len(apart)} {apart.max():.1e}")
    for library in ("ndl", "torch"):
        r = results[library]
        epoch = float(np.median(r["seconds"])) * r["steps_per_epoch"]
        print(
            f"{library:5s}: {epoch:7.1f} s an epoch, {sum(r['seconds']):.0f} s in all, "
            f"test accuracy {r['accuracy']:.3f}, peak memory {r['peak_mib']:.0f} MiB"
        )
    ratio = float(np.median(results["ndl"]["seconds"]) / np.median(results["torch"]["seconds"]))
    print(f"ratio of the medians of a step's time {ratio:.2f}")
    if options.curve is not None:
        draw(options.curve, ours, theirs, options.network)
        print(f"Curves: {options.curve}")


if __name__ == "__main__":
    main()
