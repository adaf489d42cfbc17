"""One measurement in a process of its own: ``python -m benchmarks.measure ndl "mlp 784-50-20-10, batch 100" 3 2``.

The numbers are seconds and threads; without them 3 s and the library's own default. Prints a line of JSON: the median
time of a step in milliseconds, the peak memory of the process in MiB, how much of it came after the library was
imported, and the last loss.
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


def measure(library: str, name: str, seconds: float, threads: int) -> dict:
    """Warm up, then time single steps for ``seconds``; ``threads`` 0 leaves the library's default."""
    T = importlib.import_module(library)
    if threads:
        T.set_num_threads(threads)
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
    library, name, *numbers = sys.argv[1:]
    seconds, threads = map(float, numbers) if numbers else (3.0, 0)
    print(json.dumps(measure(library, name, seconds, int(threads))))
