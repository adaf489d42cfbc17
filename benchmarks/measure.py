"""One measurement in a process of its own: ``python -m benchmarks.measure ndl "mlp 784-50-20-10, batch 100"``.

Prints a line of JSON: the median time of a step in milliseconds, the peak memory of the process in MiB, how much of
it came after the library was imported, and the last loss.
"""

from __future__ import annotations

import importlib
import json
import resource
import statistics
import sys
import time


def peak_mib() -> float:
    """The largest resident memory so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(library: str, name: str, seconds: float) -> dict:
    """Warm up, then time single steps for ``seconds``."""
    T = importlib.import_module(library)
    importlib.import_module(f"{library}.nn")
    importlib.import_module(f"{library}.optim")
    from benchmarks.workloads import WORKLOADS

    imported = peak_mib()
    step = WORKLOADS[name](T)
    end = time.perf_counter() + max(1.0, seconds / 4)
    while time.perf_counter() < end:
        step()
    times = []
    end = time.perf_counter() + seconds
    loss = float("nan")
    while time.perf_counter() < end or len(times) < 5:
        start = time.perf_counter()
        loss = step()
        times.append(time.perf_counter() - start)
    return {
        "library": library,
        "workload": name,
        "ms": statistics.median(times) * 1e3,
        "steps": len(times),
        "peak_mib": peak_mib(),
        "grown_mib": peak_mib() - imported,
        "loss": loss,
    }


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1], sys.argv[2], float(sys.argv[3]) if len(sys.argv) > 3 else 3.0)))
