"""The thread engine: one pool, work cut into contiguous shares, the BLAS held to one thread meanwhile.

NumPy lets go of Python's global lock inside copies, element-wise loops and matrix products, so two Python
threads that each call NumPy on half of the batch keep two cores busy. What has to be right around that:

- **A program that never calls a threaded kernel starts no thread.** The pool appears with the first call
  that has work for more than one thread.
- **The BLAS must not have threads of its own while ours run**: four threads on two cores lose more than
  they win, and OpenBLAS' workers go on spinning for some 25 ms after each product. Setting the number costs
  about a microsecond through a cached ``threadpoolctl`` controller, so it is set to one when the first
  region opens and put back when the last one closes. Products outside a region keep all BLAS threads.
- **The same numbers from run to run.** The cut depends on the number of items, the grain and the number of
  threads, on nothing else. Who works on a share does: a caller that is done with its own takes the next one that
  nobody has begun, so that a worker that sleeps too long, or is busy for another caller, is not waited for.
- A call from inside a region runs as one share on the spot. A forked child starts with no pool and makes
  its own.
"""

import contextvars
import os
import threading
from collections import deque
from collections.abc import Callable
from itertools import pairwise
from queue import SimpleQueue
from typing import Any, TypeVar

import numpy as np

Result = TypeVar("Result")


def _usable_cores() -> int:
    """Cores this process may run on (a container or ``taskset`` may allow fewer than the machine has)."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


_num_threads = _usable_cores()


def get_num_threads() -> int:
    """Number of threads the kernels use; at first the number of cores this process may run on."""
    return _num_threads


def set_num_threads(n: int) -> None:
    """Use ``n`` threads from the next kernel call on. Raises ``RuntimeError`` if ``n`` is no positive whole number.

    The last digits of sums over the batch depend on ``n``, because each thread adds up its own share first.
    """
    global _num_threads
    if isinstance(n, bool) or not isinstance(n, (int, np.integer)):
        raise RuntimeError(f"set_num_threads expects an int, but got {type(n).__name__}")
    if n < 1:
        raise RuntimeError(f"set_num_threads expects a positive integer, but got {n}")
    _num_threads = int(n)


def shares(n_items: int, n_shares: int) -> list[tuple[int, int]]:
    """Cut ``range(n_items)`` into at most ``n_shares`` contiguous pieces, none empty, sizes at most 1 apart.

    >>> shares(7, 3)
    [(0, 3), (3, 5), (5, 7)]
    """
    n_shares = max(1, min(n_shares, n_items))
    size, extra = divmod(n_items, n_shares)
    bounds = [i * size + min(i, extra) for i in range(n_shares + 1)]
    return list(pairwise(bounds))


def _blas_libraries() -> list[tuple[Callable[[], int], Callable[[int], Any]]]:
    """How to read and to set the threads of each BLAS that this process has loaded, NumPy's among them.

    Finding them takes a millisecond. A library's own function is asked for once: called through ctypes it takes half a
    microsecond, through threadpoolctl's look-up five, and every matrix product needs three such calls.
    """
    from threadpoolctl import ThreadpoolController  # here, since most of its import time is not NumPy's

    found = []
    for library in ThreadpoolController().select(user_api="blas").lib_controllers:
        look_up = getattr(library, "_get_symbol", None) if library.internal_api == "openblas" else None
        read = look_up("openblas_get_num_threads") if look_up else None
        write = look_up("openblas_set_num_threads") if look_up else None
        found.append((read or library.get_num_threads, write or library.set_num_threads))
    return found


class _BlasLimit:
    """Counts the open regions: the first sets the BLAS to one thread, the last one puts the number back."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.depth = 0
        self.libraries: list[tuple[Callable[[], int], Callable[[int], Any]]] | None = None
        self.before: list[tuple[Callable[[int], Any], int]] = []  # of those with more than one thread

    def enter(self) -> None:
        with self.lock:
            if self.depth == 0:
                if self.libraries is None:
                    self.libraries = _blas_libraries()
                for read, write in self.libraries:
                    n = read()
                    if n != 1:
                        self.before.append((write, n))
                        write(1)
            self.depth += 1

    def leave(self) -> None:
        with self.lock:
            self.depth -= 1
            if self.depth == 0:
                self.restore()

    def restore(self) -> None:
        for write, n in self.before:
            write(n)
        self.before.clear()


class _Region:
    """One call's shares, which the caller and the workers take one by one, whoever is free."""

    def __init__(self, bounds: list[tuple[int, int]], body: Callable[[int, int], Any]) -> None:
        self.bounds = bounds
        self.body: Callable[[int, int], Any] | None = body
        self.left = deque(range(len(bounds)))
        self.results: list[Any] = [None] * len(bounds)
        self.errors: list[BaseException | None] = [None] * len(bounds)

    def work(self) -> None:
        while self.left:
            try:
                number = self.left.popleft()
            except IndexError:  # another thread was faster
                return
            try:
                self.results[number] = self.body(*self.bounds[number])  # type: ignore[misc]  # a body while there are shares
            except BaseException as error:  # handed to the caller below, whatever it is
                self.errors[number] = error
                if not isinstance(error, Exception):  # Ctrl-C: nobody begins another share
                    self.left.clear()


class _Visit:
    """A worker's part in a region: it is ``inside`` from before it takes its first share until its last one has ended.

    So once no share is left, a caller need not wait for a worker that is not inside: it has come too late, or not yet.
    """

    def __init__(self, region: _Region) -> None:
        self.region = region
        self.context = contextvars.copy_context()
        self.inside = False
        self.over = threading.Lock()
        self.over.acquire()

    def __call__(self) -> None:
        self.inside = True
        self.context.run(self.region.work)
        self.inside = False
        self.over.release()

    def wait(self) -> None:
        while self.inside:
            self.over.acquire()


class _Worker:
    """A thread that goes on one visit after the other."""

    def __init__(self, number: int) -> None:
        self.visits: SimpleQueue[_Visit] = SimpleQueue()
        threading.Thread(target=self._loop, name=f"ndl-worker-{number}", daemon=True).start()

    def _loop(self) -> None:
        _here.inside = True
        visits = self.visits
        while True:
            visit = visits.get()
            visit()
            del visit  # a sleeping worker must not keep the arrays of its last visit alive


class _Here(threading.local):
    """What this thread knows about itself: whether it is already inside a region."""

    inside = False


_here = _Here()
_blas = _BlasLimit()
_pool: list[_Worker] = []


class single_threaded_blas:
    """Hold the BLAS to one thread inside the ``with`` block; nests, and may be used from several threads."""

    def __enter__(self) -> None:
        _blas.enter()

    def __exit__(self, *_: object) -> None:
        _blas.leave()


def parallel_for(n_items: int, body: Callable[[int, int], Result], *, grain: int = 1) -> list[Result]:
    """Call ``body(start, stop)`` on contiguous shares of ``range(n_items)``, all at once; results in order.

    There are as many shares as threads, but none smaller than ``grain`` items: choose the grain so that a
    share is worth waking a thread for (some 50 microseconds). With no items ``body`` is not called. ``body``
    runs with a single-threaded BLAS and with the caller's context variables (``np.errstate`` is one). If
    shares raise, all are waited for, then the exception of the first of them is raised.
    """
    if n_items <= 0:
        return []
    if _here.inside:
        return [body(0, n_items)]
    n_shares = min(_num_threads, n_items // max(1, grain))
    bounds = shares(n_items, n_shares) if n_shares > 1 else [(0, n_items)]
    try:
        _here.inside = True
        with single_threaded_blas():
            if n_shares > 1:
                return _run_on_pool(bounds, body)
            return [body(start, stop) for start, stop in bounds]
    finally:
        _here.inside = False


def _run_on_pool(bounds: list[tuple[int, int]], body: Callable[[int, int], Result]) -> list[Result]:
    """An interrupt (Ctrl-C) may come between any two instructions: nothing here relies on two of them being one."""
    while len(_pool) < len(bounds) - 1:
        _pool.append(_Worker(len(_pool) + 1))
    region = _Region(bounds, body)
    visits = [_Visit(region) for _ in bounds[1:]]
    to_start = list(zip(_pool, visits))
    interrupt: BaseException | None = None
    while True:
        try:
            while to_start:
                worker, visit = to_start.pop()
                worker.visits.put(visit)
            region.work()
            for visit in visits:  # also after an interrupt: the workers still write into shared arrays
                visit.wait()
            break
        except BaseException as error:
            interrupt = interrupt or error
            to_start.clear()
            region.left.clear()
    region.body = None  # a visit that has not begun must not keep it alive
    for failure in [interrupt, *region.errors]:
        if failure is not None:
            raise failure
    return region.results


def _forget_everything_after_fork() -> None:
    """The child has none of the parent's threads, and its locks may have been copied while held."""
    global _pool, _here
    _pool, _here = [], _Here()
    _blas.lock = threading.Lock()
    if _blas.depth:
        _blas.depth = 0
        _blas.restore()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_everything_after_fork)
