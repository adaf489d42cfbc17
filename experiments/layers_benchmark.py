"""Every rung of the convolution and pooling ladders: proven equal, then timed: python experiments/layers_benchmark.py

Each rung computes the same layer. The table tells its time forward and backward, its speed in GFLOP/s, that speed as
a share of what this machine's matrix products reach, and the ratio to PyTorch where it is installed (measured in a
process of its own). The picture, benchmark.png, shows the same times.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import math
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # run from a checkout, installed or not

import numpy as np

LOOPS = ("four_loops", "three_loops", "two_loops")


@dataclass(frozen=True)
class Layer:
    """A layer and an input: what is timed, in ndl and in PyTorch alike."""

    name: str
    kind: str  # "conv2d", "max_pool2d" or "avg_pool2d"
    x: tuple[int, int, int, int]
    out: int
    kernel: int
    stride: int
    padding: int

    def arrays(self, dtype: Any) -> tuple[np.ndarray, np.ndarray]:
        """Input and weight of order one; a pooling layer has no weight."""
        rng = np.random.default_rng(0)
        x = rng.standard_normal(self.x).astype(dtype)
        return x, rng.standard_normal((self.out, self.x[1], self.kernel, self.kernel)).astype(dtype) * dtype(0.1)

    def call(self, T: Any, x: Any, W: Any) -> Any:
        """The layer's output."""
        F = T.nn.functional
        if self.kind == "conv2d":
            return F.conv2d(x, W, None, self.stride, self.padding)
        return getattr(F, self.kind)(x, self.kernel, self.stride, self.padding)

    def operations(self) -> float:
        """Multiplications and additions of the forward pass; the backward pass of a convolution has twice as many."""
        n, c, h, w = self.x
        ho, wo = (1 + (m + 2 * self.padding - self.kernel) // self.stride for m in (h, w))
        per_output = self.kernel**2 * (2 * c if self.kind == "conv2d" else 1)
        return n * (self.out if self.kind == "conv2d" else c) * ho * wo * per_output


LAYERS = [
    Layer("conv 3x3, stride 2: 8 x 16 x 64 x 64 -> 32", "conv2d", (8, 16, 64, 64), 32, 3, 2, 1),
    Layer("conv 3x3, stride 1: 8 x 16 x 64 x 64 -> 32", "conv2d", (8, 16, 64, 64), 32, 3, 1, 1),
    Layer("conv 3x3, stride 1: 64 x 64 x 32 x 32 -> 64", "conv2d", (64, 64, 32, 32), 64, 3, 1, 1),
    Layer("conv 3x3, stride 1: 64 x 128 x 16 x 16 -> 128", "conv2d", (64, 128, 16, 16), 128, 3, 1, 1),
    Layer("conv 3x3, stride 1: 64 x 256 x 8 x 8 -> 256", "conv2d", (64, 256, 8, 8), 256, 3, 1, 1),
    Layer("max pool 3x3, stride 2: 8 x 16 x 64 x 64", "max_pool2d", (8, 16, 64, 64), 16, 3, 2, 1),
    Layer("max pool 2x2, stride 2: 64 x 64 x 32 x 32", "max_pool2d", (64, 64, 32, 32), 64, 2, 2, 0),
    Layer("average pool 3x3, stride 2: 8 x 16 x 64 x 64", "avg_pool2d", (8, 16, 64, 64), 16, 3, 2, 1),
]


@dataclass
class Row:
    """The times of one rung, in seconds."""

    rung: str
    forward: float
    backward: float
    error: float = 0.0
    extra: dict = field(default_factory=dict)


def best(run: Callable[[], Any], seconds: float, most: int = 200) -> float:
    """The shortest of the runs that fit into this time; at least one."""
    times: list[float] = []
    end = time.perf_counter() + seconds
    while not times or (time.perf_counter() < end and len(times) < most):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return min(times)


def measure(T: Any, layer: Layer, seconds: float) -> tuple[float, float]:
    """Forward and backward time of a layer in library ``T``, float32."""
    x, W = (T.from_numpy(a).requires_grad_() for a in layer.arrays(np.float32))
    y = layer.call(T, x, W)
    dy = T.ones_like(y)

    def both() -> None:
        x.grad = W.grad = None
        layer.call(T, x, W).backward(dy)

    both()  # the first call allocates, and warms the caches
    forward = best(lambda: layer.call(T, x, W), seconds)
    return forward, max(best(both, seconds) - forward, 1e-9)


def rungs_of(layer: Layer) -> tuple[Any, list[str]]:
    """The ladder's ``use_rung`` and the rungs that compute this layer."""
    if layer.kind == "conv2d":
        from ndl.kernels import conv2d as ladder

        names = [n for n in ladder.RUNGS if n not in ("pointwise", "depthwise")]
        if layer.stride != 1:
            names = [n for n in names if not n.startswith("winograd") and n != "fft"]
    else:
        from ndl.kernels import pool2d as ladder  # type: ignore[no-redef]

        names = list(ladder.RUNGS)
    return ladder.use_rung, names


def consistency(layer: Layer, names: list[str], use_rung: Any) -> dict[str, float]:
    """Largest relative difference of each rung's y, dx and dW from the first rung's, in float64."""
    import ndl

    small = Layer(layer.name, layer.kind, (2, 3, 9, 7), 4, layer.kernel, layer.stride, layer.padding)
    found: dict[str, list[np.ndarray]] = {}
    for name in names:
        x, W = (ndl.from_numpy(a).requires_grad_() for a in small.arrays(np.float64))
        with use_rung(name):
            y = small.call(ndl, x, W)
            (y * y).sum().backward()
        grads = [x.grad] + ([W.grad] if layer.kind == "conv2d" else [])
        found[name] = [t.detach().numpy() for t in (y, *grads)]
    first = found[names[0]]
    return {
        name: max(float(np.abs(a - b).max() / np.abs(b).max()) for a, b in zip(arrays, first))
        for name, arrays in found.items()
    }


def matrix_peak(seconds: float) -> float:
    """Operations per second of the fastest float32 matrix product here: 2048 x 2048 x 2048."""
    from ndl.kernels.matmul import matmul

    a = np.random.default_rng(0).standard_normal((2048, 2048)).astype(np.float32)
    return 2 * 2048**3 / best(lambda: matmul(a, a), seconds)


def in_pytorch(seconds: float) -> dict[str, tuple[float, float]]:
    """PyTorch's times by layer, from a process of its own; empty where PyTorch is not installed.

    Raises SystemExit with its error messages if it is installed and fails.
    """
    if importlib.util.find_spec("torch") is None:
        return {}
    command = [sys.executable, __file__, "--pytorch", "--seconds", str(seconds)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"PyTorch is installed, but it failed:\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def print_pytorch(seconds: float) -> None:
    """What ``in_pytorch`` reads."""
    import torch

    print(json.dumps({layer.name: measure(torch, layer, seconds) for layer in LAYERS}))


def table(layer: Layer, rows: list[Row], peak: float, theirs: tuple[float, float] | None) -> None:
    """One line for each rung."""
    print(f"\n{layer.name}")
    ratio = "ratio to PyTorch" if theirs else ""
    print(f"  {'rung':16s} {'forward':>11s} {'backward':>11s} {'GFLOP/s':>9s} {'of peak':>8s}  {'error':>7s}  {ratio}")
    work = layer.operations() * (3 if layer.kind == "conv2d" else 2)
    for r in rows:
        total = r.forward + r.backward
        beside = f"{r.forward / theirs[0]:8.2f} {r.backward / theirs[1]:8.2f}" if theirs else ""
        print(
            f"  {r.rung:16s} {r.forward * 1e3:8.2f} ms {r.backward * 1e3:8.2f} ms {work / total / 1e9:9.2f} "
            f"{work / total / peak:8.1%}  {r.error:7.0e}  {beside}"
        )
    if theirs:
        print(f"  {'PyTorch':16s} {theirs[0] * 1e3:8.2f} ms {theirs[1] * 1e3:8.2f} ms {work / sum(theirs) / 1e9:9.2f}")


def draw(results: list[tuple[Layer, list[Row]]], pytorch: dict, path: Path) -> None:
    """Times of all rungs on a logarithmic axis, one panel for each layer, PyTorch as a line."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    columns = min(3, len(results))
    lines = math.ceil(len(results) / columns)
    figure, axes = pyplot.subplots(
        lines, columns, figsize=(16 * columns / 3, 4 * lines), squeeze=False, constrained_layout=True
    )
    for axis in axes.flat[len(results) :]:
        axis.remove()
    for axis, (layer, rows) in zip(axes.flat[: len(results)], results, strict=True):
        names = [r.rung.replace("_", " ") for r in rows]
        forward, backward = ([t * 1e3 for t in ts] for ts in zip(*((r.forward, r.backward) for r in rows)))
        places = np.arange(len(rows))
        axis.barh(places - 0.2, forward, 0.38, label="forward", color="#3b6ea8")
        axis.barh(places + 0.2, backward, 0.38, label="backward", color="#d98c3f")
        if layer.name in pytorch:
            for t, colour, what in zip(pytorch[layer.name], ("#3b6ea8", "#d98c3f"), ("forward", "backward")):
                axis.axvline(t * 1e3, color=colour, linestyle="--", linewidth=1.2, label=f"PyTorch {what}")
        axis.set_xscale("log")
        times = [*forward, *backward, *(t * 1e3 for t in pytorch.get(layer.name, ()))]
        axis.set_xlim(10 ** np.floor(np.log10(min(times))), 10 ** np.ceil(np.log10(max(times))))  # whole decades
        axis.set_yticks(places, names)
        axis.invert_yaxis()
        axis.set_xlabel("time (ms, logarithmic)")
        axis.set_title(layer.name, fontsize=10)
        axis.grid(axis="x", alpha=0.3)
    figure.legend(*axes.flat[0].get_legend_handles_labels(), loc="outside upper center", ncols=4)
    figure.savefig(path, dpi=110)
    pyplot.close(figure)


def main() -> int:
    """Prove, time, print, draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=1.0, help="for each time that is measured (default 1)")
    parser.add_argument("--no-loops", action="store_true", help="leave out the rungs that are there to be read")
    parser.add_argument("--picture", type=Path, default=Path("benchmark.png"), help="where the picture goes")
    parser.add_argument("--no-picture", dest="picture", action="store_const", const=None)
    parser.add_argument("--pytorch", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.pytorch:
        print_pytorch(options.seconds)
        return 0
    import ndl
    from experiments.program import refuse_picture

    if options.picture is not None:
        refuse_picture(parser, "picture", options.picture)
    peak = matrix_peak(options.seconds)
    print(f"matrix products reach {peak / 1e9:.0f} GFLOP/s in float32 on {ndl.get_num_threads()} threads")
    pytorch = in_pytorch(options.seconds)
    if not pytorch:
        print("PyTorch is not installed: no ratios")
    results = []
    for layer in LAYERS:
        use_rung, names = rungs_of(layer)
        errors = consistency(layer, names, use_rung)
        wrong = {n: e for n, e in errors.items() if e > 1e-12}
        if wrong:
            raise SystemExit(f"{layer.name}: these rungs differ from {names[0]}: {wrong}")
        rows = []
        for name in names:
            if name in LOOPS and (options.no_loops or layer.operations() > 3e8):
                continue  # at 64 x 64 channels the loops take minutes; they were proven equal all the same
            with use_rung(name):
                forward, backward = measure(ndl, layer, options.seconds)
            rows.append(Row(name, forward, backward, errors[name]))
        table(layer, rows, peak, pytorch.get(layer.name))
        results.append((layer, rows))
    if options.picture is not None:
        draw(results, pytorch, options.picture)
        print(f"\nPicture: {options.picture}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
