"""Every block and every operation against PyTorch: python experiments/numerical_verification.py, python -m ndl.verify

Each row of the table is a block or operation: how many configurations were tried, and the largest relative error of
its output, of the gradient of every input and of every parameter, of its buffers, and of the numerical check. What
fails is red and makes the exit code 1. The cases are those that the tests run: nothing is listed here.
"""

from __future__ import annotations

import argparse
import fnmatch
import importlib.util
import multiprocessing
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from ndl.kernels.threads import set_num_threads
from ndl.verify.proof import Row, prove
from ndl.verify.registry import all_cases
from ndl.verify.table import as_json, coloured, summary, table

FEW = 40  # cases: a process takes longer to start than these to run
NO_TORCH = (
    "PyTorch is not installed here, so there is nothing to compare with: this is the numerical check alone. "
    "`python tools/install_torch.py` fetches the CPU build."
)


def arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m ndl.verify", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--only",
        nargs="+",
        metavar="PATTERN",
        help="cases whose name has this in it, or matches it: conv2d 'nn.*pool*'",
    )
    parser.add_argument("--configurations", type=int, default=30, metavar="N", help="for each case (30)")
    parser.add_argument("--seed", type=int, default=0, help="of the first configuration (0)")
    parser.add_argument("--numeric", action="store_true", help="the numerical check alone, without PyTorch")
    parser.add_argument("--float32", action="store_true", help="our error in float32 beside PyTorch's")
    parser.add_argument("--each", action="store_true", help="a line for every input's and every parameter's gradient")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything that was measured")
    parser.add_argument("--jobs", type=int, default=2, help="processes (2)")
    options = parser.parse_args(argv)
    if options.configurations < 1:
        parser.error(f"--configurations {options.configurations}: wanted 1 or more")
    if options.jobs < 1:
        parser.error(f"--jobs {options.jobs}: wanted 1 or more")
    if options.numeric and options.float32:
        parser.error("--float32 compares with PyTorch, which --numeric leaves out: give one of them")
    if options.json is not None and not options.json.absolute().parent.is_dir():
        parser.error(f"--json {options.json}: the folder {options.json.parent} does not exist")
    return options


def chosen(patterns: Sequence[str] | None) -> list[str]:
    """The names of the cases that match one of the patterns; all without patterns."""
    names = list(all_cases())
    if not patterns:
        return names
    return [name for name in names if any(p in name or fnmatch.fnmatch(name, p) for p in patterns)]


def prove_by_name(name: str, configurations: int, seed: int, parity: bool, float32: bool) -> Row:
    """``prove`` for another process, which finds the case in its own registry."""
    return prove(all_cases(name)[name], configurations, seed, parity, float32)


def rows_of(names: Sequence[str], options: argparse.Namespace, parity: bool) -> Iterator[Row]:
    """The rows, in order, from as many processes as wanted."""
    one = partial(
        prove_by_name,
        configurations=options.configurations,
        seed=options.seed,
        parity=parity,
        float32=options.float32,
    )
    if options.jobs == 1 or len(names) < FEW:
        yield from map(one, names)
        return
    with ProcessPoolExecutor(options.jobs, multiprocessing.get_context("spawn"), set_num_threads, (1,)) as pool:
        yield from pool.map(one, names, chunksize=8)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command. 0: everything is proven, 1: something is not, 2: there was nothing to do."""
    options = arguments(argv)
    names = chosen(options.only)
    if not names:
        print(f"no case matches {' '.join(options.only)}; names look like nn.linear.Linear or ops.products.matmul")
        return 2
    parity = not options.numeric
    if parity and importlib.util.find_spec("torch") is None:
        if options.float32:
            print("--float32 measures our rounding errors beside PyTorch's, and PyTorch is not installed here.")
            return 2
        print(NO_TORCH)
        parity = False
    begin = time.perf_counter()
    rows = []
    for row in rows_of(names, options, parity):
        rows.append(row)
        if sys.stderr.isatty():
            print(f"\r\033[K{len(rows)}/{len(names)} {row.name}", end="", file=sys.stderr, flush=True)
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr, flush=True)
    colour = coloured(sys.stdout)
    print(table(rows, colour, options.each))
    print()
    print(summary(rows, time.perf_counter() - begin, colour))
    if options.json is not None:
        about = {"float32": options.float32, "parity": parity, "seed": options.seed}
        options.json.write_text(as_json(rows, **about) + "\n", encoding="utf-8")
    return 0 if all(row.ok for row in rows) else 1
