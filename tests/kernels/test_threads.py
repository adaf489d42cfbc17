"""The thread engine: every item once, in fixed shares, with a quiet BLAS, whoever calls it and from where."""

import gc
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
import weakref
from collections.abc import Iterator
from queue import SimpleQueue

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from threadpoolctl import ThreadpoolController

from ndl.kernels import threads
from ndl.kernels.threads import parallel_for, shares, single_threaded_blas


@pytest.fixture(autouse=True)
def three_threads() -> Iterator[None]:
    before = threads.get_num_threads()
    threads.set_num_threads(3)
    yield
    threads.set_num_threads(before)


def run_python(program: str) -> str:
    """What a fresh interpreter prints. Warnings are off: from Python 3.12 on, forking with threads gives one."""
    command = [sys.executable, "-W", "ignore", "-c", textwrap.dedent(program)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def numpys_blas() -> list:
    """Not SciPy's, which another test may have loaded after the kernels first asked what there is."""
    libraries = ThreadpoolController().select(user_api="blas").lib_controllers
    return [library for library in libraries if "numpy" in library.filepath] or list(libraries)


def blas_threads() -> list[int]:
    return [library.get_num_threads() for library in numpys_blas()]


@given(st.integers(1, 100), st.integers(1, 12))
def test_shares_cover_the_range_in_order_and_are_even(n_items: int, n_shares: int) -> None:
    cut = shares(n_items, n_shares)
    assert [i for start, stop in cut for i in range(start, stop)] == list(range(n_items))
    sizes = [stop - start for start, stop in cut]
    assert len(cut) == min(n_items, n_shares)
    assert max(sizes) - min(sizes) <= 1


@given(st.integers(0, 40), st.integers(1, 50))
def test_every_item_is_worked_on_once_and_no_share_is_below_the_grain(n_items: int, grain: int) -> None:
    done = np.zeros(n_items, int)

    def body(start: int, stop: int) -> tuple[int, int]:
        done[start:stop] += 1
        return start, stop

    results = parallel_for(n_items, body, grain=grain)
    assert (done == 1).all()
    assert results == sorted(results)
    assert len(results) <= 3
    assert all(stop - start >= min(grain, n_items) for start, stop in results)


def test_shares_run_at_the_same_time() -> None:
    barrier = threading.Barrier(3, timeout=30)  # breaks unless three threads meet there
    parallel_for(3, lambda start, stop: barrier.wait())


def test_default_is_the_number_of_usable_cores() -> None:
    program = "from ndl.kernels import threads; print(threads.get_num_threads())"
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    assert run_python(program) == str(cores)


def test_no_thread_is_started_before_there_is_work_for_two() -> None:
    program = """
        import threading
        from ndl.kernels import threads
        threads.set_num_threads(4)
        counts = [threading.active_count()]
        threads.parallel_for(4, lambda a, b: None, grain=4)
        counts.append(threading.active_count())
        for _ in range(10):
            threads.parallel_for(4, lambda a, b: None)
        counts.append(threading.active_count())
        print(counts)
    """
    assert run_python(program) == "[1, 1, 4]"


@pytest.mark.parametrize("n", [0, -1])
def test_number_of_threads_must_be_positive(n: int) -> None:
    with pytest.raises(RuntimeError, match=f"positive integer, but got {n}"):
        threads.set_num_threads(n)
    assert threads.get_num_threads() == 3


@pytest.mark.parametrize("n", [2.0, True, np.float64(1), "2", None])
def test_number_of_threads_must_be_an_int(n: object) -> None:
    with pytest.raises(RuntimeError, match=f"expects an int, but got {type(n).__name__}"):
        threads.set_num_threads(n)  # type: ignore[arg-type]
    threads.set_num_threads(np.int64(2))  # type: ignore[arg-type]
    assert type(threads.get_num_threads()) is int


@pytest.mark.parametrize("failing", [{0}, {2}, {1, 2}])
def test_first_failing_share_raises_after_all_have_ended(failing: set[int]) -> None:
    ended = []

    def body(start: int, stop: int) -> None:
        ended.append(start)
        if start in failing:
            raise ValueError(f"share {start}")

    with pytest.raises(ValueError, match=f"share {min(failing)}"):
        parallel_for(3, body)
    assert sorted(ended) == [0, 1, 2]
    assert parallel_for(3, lambda start, stop: start) == [0, 1, 2]


def test_call_from_inside_a_share_runs_on_the_spot() -> None:
    def body(start: int, stop: int) -> list[tuple[int, int, str]]:
        here = threading.current_thread().name
        inner = parallel_for(5, lambda a, b: (a, b, threading.current_thread().name))
        assert [name for _, _, name in inner] == [here]
        return [(a, b, "") for a, b, _ in inner]

    assert parallel_for(3, body) == [[(0, 5, "")]] * 3


def test_shares_see_the_callers_context() -> None:
    def body(start: int, stop: int) -> str:
        return np.geterr()["divide"]

    with np.errstate(divide="raise"):
        assert parallel_for(3, body) == ["raise"] * 3
    with np.errstate(divide="ignore"):
        assert parallel_for(3, body) == ["ignore"] * 3


def test_blas_has_one_thread_inside_and_its_own_number_outside() -> None:
    for library in numpys_blas():
        library.set_num_threads(2)
    before = blas_threads()
    assert before
    assert parallel_for(3, lambda start, stop: max(blas_threads())) == [1, 1, 1]
    assert blas_threads() == before
    with pytest.raises(ZeroDivisionError):
        parallel_for(3, lambda start, stop: 1 // start)
    assert blas_threads() == before
    with single_threaded_blas():
        parallel_for(3, lambda start, stop: None)
        assert set(blas_threads()) == {1}
    assert blas_threads() == before


def test_several_user_threads_at_once_get_the_same_shares() -> None:
    inside = threading.Barrier(2, timeout=30)
    answers: dict[int, list[tuple[int, int]]] = {}

    def body(start: int, stop: int) -> tuple[int, int]:
        if start == 0:
            inside.wait()  # both callers are in their first share now: one has the pool, the other has not
        return start, stop

    def caller(number: int) -> None:
        answers[number] = parallel_for(7, body)

    callers = [threading.Thread(target=caller, args=(number,)) for number in range(2)]
    for thread in callers:
        thread.start()
    for thread in callers:
        thread.join(timeout=30)
    assert answers == {0: [(0, 3), (3, 5), (5, 7)], 1: [(0, 3), (3, 5), (5, 7)]}


def test_a_worker_that_does_not_come_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    class Asleep:
        def put(self, visit: object) -> None:
            pass

    parallel_for(3, lambda start, stop: None)
    for worker in threads._pool:
        monkeypatch.setattr(worker, "visits", Asleep())
    here = threading.get_ident()
    assert parallel_for(3, lambda start, stop: (start, threading.get_ident())) == [(i, here) for i in range(3)]


def test_an_interrupt_as_a_worker_was_started_leaves_the_pool_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    class Interrupted:
        def __init__(self, visits: SimpleQueue) -> None:
            self.visits = visits

        def put(self, visit: object) -> None:
            self.visits.put(visit)
            raise KeyboardInterrupt

    parallel_for(3, lambda start, stop: None)
    ended: list[int] = []

    def slow(start: int, stop: int) -> None:
        time.sleep(0.05)
        ended.append(start)

    with monkeypatch.context() as patch:
        patch.setattr(threads._pool[1], "visits", Interrupted(threads._pool[1].visits))
        with pytest.raises(KeyboardInterrupt):
            parallel_for(3, slow)
        late = len(ended)
    time.sleep(0.1)
    assert len(ended) == late  # whoever had begun was waited for
    for _ in range(20):
        assert parallel_for(3, lambda start, stop: start) == [0, 1, 2]


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no timers that signal")
def test_interrupts_at_any_moment_neither_hang_nor_leave_work_undone() -> None:
    program = """
        import faulthandler, random, signal, time
        import numpy as np
        from ndl.kernels import threads
        faulthandler.dump_traceback_later(40, exit=True)
        threads.set_num_threads(2)

        def interrupt(*_):
            raise KeyboardInterrupt

        signal.signal(signal.SIGALRM, interrupt)
        x, random = np.ones(4000, np.float32), random.Random(0)

        def body(start, stop):
            y[start:stop] = np.tanh(x[start:stop])
            return stop - start

        interrupted, until = 0, time.monotonic() + 2
        while time.monotonic() < until:
            y = np.zeros_like(x)
            try:
                signal.setitimer(signal.ITIMER_REAL, random.uniform(2e-5, 2e-4))
                while True:
                    threads.parallel_for(4000, body)
            except KeyboardInterrupt:
                interrupted += 1
            y = np.zeros_like(x)
            assert threads.parallel_for(4000, body) == [2000, 2000] and y.all()
        print(interrupted > 100)
    """
    assert run_python(program) == "True"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_forked_child_makes_its_own_pool() -> None:
    program = """
        import os, signal, threading
        from ndl.kernels import threads
        threads.set_num_threads(3)
        threads.parallel_for(3, lambda a, b: None)
        child = os.fork()
        if child == 0:
            signal.alarm(20)  # a child that waits for its parent's threads would wait for ever
            barrier = threading.Barrier(3, timeout=10)
            threads.parallel_for(3, lambda a, b: barrier.wait())
            os._exit(7)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), threads.parallel_for(3, lambda a, b: a))
    """
    assert run_python(program) == "7 [0, 1, 2]"


def test_workers_do_not_keep_arrays_alive() -> None:
    class Array(np.ndarray):
        pass

    array = np.zeros(3).view(Array)
    gone = weakref.ref(array)
    parallel_for(3, lambda start, stop, array=array: array[start:stop].sum())
    del array
    gc.collect()
    assert gone() is None
