"""Training steps beside PyTorch's: ``python benchmarks/run.py [--only mlp] [--rounds 3] [--seconds 3] [--threads 1]``.

Every workload runs in processes that alternate between the two libraries, each with its default settings, and the
median of the rounds counts. Run it with nothing else on the machine. A ratio below 1 means ndl is faster.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.workloads import WORKLOADS  # noqa: E402


def run_once(library: str, name: str, seconds: float, threads: int) -> dict:
    """One measurement in a new process."""
    command = [sys.executable, "-m", "benchmarks.measure", library, name, str(seconds), str(threads)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{library} failed on {name!r}:\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def machine() -> str:
    """The processor and what runs on it, for the table's caption."""
    name = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        models = [line.split(":", 1)[1].strip() for line in info.read_text().splitlines() if "model name" in line]
        name = models[0] if models else name
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{name}, {cores} cores, Python {platform.python_version()}"


def main() -> None:
    """Measure, print a line for each workload, and optionally write everything as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="workloads whose name contains this")
    parser.add_argument("--rounds", type=int, default=3, help="processes for each library and workload")
    parser.add_argument("--seconds", type=float, default=3.0, help="timed seconds in each process")
    parser.add_argument("--threads", type=int, default=0, help="threads of both libraries; 0: each one's default")
    parser.add_argument("--json", type=Path, help="also write all measurements to this file")
    options = parser.parse_args()
    names = [n for n in WORKLOADS if options.only in n]
    if not names:
        raise SystemExit(f"no workload contains {options.only!r}; there are: " + "; ".join(WORKLOADS))
    print(machine())
    print(f"{'training step':44s} {'ndl':>9s} {'PyTorch':>9s} {'ratio':>6s}   {'peak memory':>16s}")
    results = []
    for name in names:
        settings = (options.seconds, options.threads)
        rounds = [[run_once(lib, name, *settings) for lib in ("ndl", "torch")] for _ in range(options.rounds)]
        ours, theirs = ([r[i] for r in rounds] for i in (0, 1))
        a, b = (statistics.median(m["ms"] for m in side) for side in (ours, theirs))
        p, q = (statistics.median(m["peak_mib"] for m in side) for side in (ours, theirs))
        ratio = statistics.median(r[0]["ms"] / r[1]["ms"] for r in rounds)
        print(f"{name:44s} {a:6.2f} ms {b:6.2f} ms {ratio:6.2f}   {p:5.0f} / {q:4.0f} MiB", flush=True)
        results.append({"workload": name, "ratio": ratio, "ndl": ours, "torch": theirs})
    if options.json:
        options.json.write_text(json.dumps({"machine": machine(), "results": results}, indent=1))


if __name__ == "__main__":
    main()
