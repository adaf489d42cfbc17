"""Do the checks catch mistakes? python -m ndl.verify.mutants [--only ROOM ...] [--json FILE]

Every backward pass gets every small mistake that ``ndl.verify.mutation`` knows, one at a time, in memory: no file is
changed. A mutant is caught when one of the recorded trials (``ndl.verify.trials``) computes something else, raises, or
does not end. One that survives all trials is a missing test, or it computes the same numbers: such ones are listed,
each with its reason, in ``equivalent_mutants.toml``, and an entry that no longer matches a mutant is reported, too.

Each mutant lives in a process of its own, so it needs fork: Linux or macOS.
"""

from __future__ import annotations

import argparse
import ast
import importlib
import importlib.util
import json
import os
import select
import signal
import sys
import time
import tomllib
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ndl.kernels.threads import set_num_threads
from ndl.verify.mutation import Mutation, mutations
from ndl.verify.registry import all_cases
from ndl.verify.targets import Target, targets
from ndl.verify.trials import Trial, record

EQUIVALENT = Path(__file__).with_name("equivalent_mutants.toml")
TRIALS = 4000  # at most, for one mutant
UNSEEN = "no trial tells the difference"
SECONDS = 20.0  # a trial that computes longer does not end: processor time, since the machine may be busy or asleep
PATIENCE = 30  # times as long by the clock, for a mutant that waits instead of computing


@dataclass
class Outcome:
    """What became of one mutant: ``fate`` is "caught", "equivalent" or "survived"."""

    room: str
    file: str
    line: int
    function: str
    before: str
    after: str
    fate: str
    reason: str
    which: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line} {self.function}\n    {self.before}\n  → {self.after}\n    {self.reason}"


# -- one mutant ------------------------------------------------------------------------------------------------


def install(target: Target, mutation: Mutation) -> None:
    """Put the mutant in the function's place, wherever its module or another handed it on."""
    module = importlib.import_module(target.module)
    tree = ast.fix_missing_locations(ast.Module(body=[mutation.function], type_ignores=[]))
    made: dict[str, Any] = {}
    code = compile(tree, str(module.__file__), "exec", flags=_ANNOTATIONS, dont_inherit=True)
    exec(code, module.__dict__, made)
    new = made[mutation.function.name]
    owner, _, name = target.qualname.rpartition(".")
    if owner:
        setattr(getattr(module, owner), name, new)
        return
    old = getattr(module, name)
    for other in [m for key, m in list(sys.modules.items()) if key.split(".")[0] == "ndl" and m is not None]:
        for key, value in list(vars(other).items()):
            if value is old:
                setattr(other, key, new)


_ANNOTATIONS = importlib.import_module("__future__").annotations.compiler_flag


def try_out(target: Target, mutation: Mutation, trials: Sequence[Trial]) -> str | None:
    """Why the mutant is caught, or None. Runs in the mutant's own process."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            install(target, mutation)
        except Exception as error:
            return f"{type(error).__name__} at once"
        for trial in trials:
            signal.setitimer(signal.ITIMER_PROF, SECONDS)
            try:
                difference = trial.difference()
            except Exception as error:
                difference = type(error).__name__
            if difference is not None:
                return f"{trial.case} ({trial.kind}): {difference}"
    return None


# -- processes -------------------------------------------------------------------------------------------------


class Child:
    """A forked process that tries one mutant out and sends what it found through a pipe."""

    def __init__(self, target: Target, mutation: Mutation, trials: Sequence[Trial]) -> None:
        self.target, self.mutation = target, mutation
        self.deadline = time.monotonic() + PATIENCE * SECONDS
        self.pipe, write = os.pipe()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # other threads wait; they hold nothing ours needs
            self.pid = os.fork()
        if self.pid == 0:
            try:
                signal.setitimer(signal.ITIMER_PROF, SECONDS)  # ends the process with SIGPROF, if not set anew
                set_num_threads(1)
                found = try_out(target, mutation, trials)
                os.write(write, json.dumps(found).encode()[:4000])
            finally:
                os._exit(0)
        os.close(write)

    def outcome(self) -> str | None:
        """Why it was caught; None if it survived. Waits for nothing: the pipe is known to have something, or not."""
        ready, _, _ = select.select([self.pipe], [], [], 0)
        text = os.read(self.pipe, 5000) if ready else b""
        os.close(self.pipe)
        if not ready:
            os.kill(self.pid, signal.SIGKILL)
        _, status = os.waitpid(self.pid, 0)
        if not ready or (os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGPROF):
            return f"did not end in {SECONDS:.0f} s"
        return json.loads(text) if text else "the process died"


def run_mutants(
    work: Iterator[tuple[Target, Mutation, Sequence[Trial]]], jobs: int
) -> Iterator[tuple[Target, Mutation, str | None]]:
    """Try every mutant out, ``jobs`` at a time; (target, mutation, why it was caught)."""
    running: list[Child] = []
    more = True
    while more or running:
        while more and len(running) < jobs:
            item = next(work, None)
            if item is None:
                more = False
                break
            running.append(Child(*item))
        if not running:
            break
        first = min(child.deadline for child in running)
        ready, _, _ = select.select([c.pipe for c in running], [], [], max(0.0, first - time.monotonic()))
        for child in list(running):
            if child.pipe in ready or time.monotonic() >= child.deadline:
                running.remove(child)
                yield child.target, child.mutation, child.outcome()


# -- the whole -------------------------------------------------------------------------------------------------


def trials_for(target: Target, trials: Sequence[Trial]) -> list[Trial]:
    """The trials that run the target: its room's own first, and in turns from every case."""
    rows: dict[tuple[str, str], list[Trial]] = {}
    key = target.code_key
    for trial in trials:
        if key in trial.reached:
            rows.setdefault((trial.case, trial.kind), []).append(trial)
    own = target.room.split(".")[-1]
    ordered = sorted(rows.items(), key=lambda item: own not in item[0][0])
    depth = max(map(len, rows.values()), default=0)
    return [row[k] for k in range(depth) for _, row in ordered if k < len(row)][:TRIALS]


Known = dict[tuple[str, str, str, str, int], str]  # (file, function, before, after, which): why it computes the same


def equivalents(path: Path = EQUIVALENT) -> Known:
    """The mutants that are known to compute the same numbers. Of several with one text, ``which = 2`` is the second."""
    entries = tomllib.loads(path.read_text(encoding="utf-8")).get("mutant", [])
    return {(e["file"], e["function"], e["before"], e["after"], e.get("which", 1)): e["reason"] for e in entries}


Mutant = tuple[Target, Mutation]


def verdicts(mutants: Sequence[Mutant], trials: Sequence[Trial], known: Known, jobs: int) -> Iterator[Outcome]:
    """The outcome of every mutant, as far as these trials tell."""
    reached = {key for trial in trials for key in trial.reached}

    def work() -> Iterator[tuple[Target, Mutation, Sequence[Trial]]]:
        of: dict[Target, list[Trial]] = {}
        for target, mutation in mutants:
            if target not in of:
                of[target] = trials_for(target, trials)
            yield target, mutation, of[target]

    for target, m, why in run_mutants(work(), jobs):
        reason = known.get((target.file, target.qualname, m.before, m.after, m.which))
        fate = "caught" if why is not None else "equivalent" if reason else "survived"
        unseen = UNSEEN if target.code_key in reached else "no case runs this function"
        why = why or reason or unseen
        yield Outcome(target.room, target.file, m.line, target.qualname, m.before, m.after, fate, why, m.which)


def tried(mutants: Sequence[Mutant], options: Any, known: Known) -> list[Outcome]:
    """Every mutant's outcome: by its room's cases and those that ``--only`` names, then, if alive, by all others."""
    torch = importlib.import_module("torch") if importlib.util.find_spec("torch") else None
    rooms = {target.room for target, _ in mutants} | set(options.only or ())
    cases = list(all_cases().values())
    own = [c for c in cases if any((c.name + ".").startswith(room + ".") for room in rooms)]
    others = [c for c in cases if c not in own]
    outcomes: list[Outcome] = []
    alive: dict[tuple, Outcome] = {}
    for some in (own, others):
        print(f"{len(mutants)} mutants, tried out by {len(some)} cases", file=sys.stderr, flush=True)
        trials = list(record(some, options.configurations, options.seed, torch))
        found = list(verdicts(mutants, trials, known, options.jobs))
        outcomes += [o for o in found if o.fate != "survived"]
        was = {key: o.reason for key, o in alive.items()}
        alive = {(o.file, o.function, o.before, o.after, o.which): o for o in found if o.fate == "survived"}
        for key, o in alive.items():
            if was.get(key) == UNSEEN:
                o.reason = UNSEEN
        mutants = [(t, m) for t, m in mutants if (t.file, t.qualname, m.before, m.after, m.which) in alive]
        if not mutants:
            return outcomes
    return outcomes + list(alive.values())


def stale(known: Known, chosen: Sequence[Target], outcomes: Sequence[Outcome]) -> list[str]:
    """Entries of the list of equivalent mutants that match no mutant of the chosen targets, or one that is caught."""
    listed = {entry[:2] for entry in known}
    functions = {(t.file, t.qualname) for t in chosen} & listed
    here = [t for t in chosen if (t.file, t.qualname) in functions]
    made = {(t.file, t.qualname, m.before, m.after, m.which) for t in here for m in mutations(t.node)}
    every = {(t.file, t.qualname) for t in targets()}
    caught = {(o.file, o.function, o.before, o.after, o.which) for o in outcomes if o.fate == "caught"}
    lines = []
    for entry in known:
        file, function, before, after, _ = entry
        if entry in caught:
            lines.append(
                f"{file} {function}: this mutant is caught, so it is not equivalent\n    {before}\n  → {after}"
            )
        elif entry not in made and ((file, function) in functions or (file, function) not in every):
            lines.append(f"{file} {function}: no mutant is like this any more\n    {before}\n  → {after}")
    return lines


def report(outcomes: Sequence[Outcome], seconds: float) -> str:
    """How many were made and caught, room by room, and every survivor."""
    width = max([len(o.room) for o in outcomes] + [len("block")])
    lines = [f"{'block':{width}}{'made':>8}{'caught':>8}{'equivalent':>12}{'survived':>10}"]
    for room in [*dict.fromkeys(o.room for o in outcomes), "all"]:
        fates = [o.fate for o in outcomes if room in (o.room, "all")]
        counts = [fates.count(fate) for fate in ("caught", "equivalent", "survived")]
        lines.append(f"{room:{width}}{len(fates):8}{counts[0]:8}{counts[1]:12}{counts[2]:10}")
    lines += [str(o) for o in outcomes if o.fate == "survived"]
    return "\n".join([*lines, f"{len(outcomes)} mutants in {seconds:.0f} s"])


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command. 0: every mutant is caught or known to be equivalent, 1: some survive."""
    parser = argparse.ArgumentParser(
        prog="python -m ndl.verify.mutants", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="+", metavar="ROOM", help="such as nn.linear, linear, ops or LinearFunction")
    parser.add_argument("--configurations", type=int, default=12, metavar="N", help="of each case (12)")
    parser.add_argument("--seed", type=int, default=0, help="of the first configuration (0)")
    parser.add_argument("--sample", type=int, default=1, metavar="N", help="only every N-th mutant")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every mutant's fate")
    parser.add_argument("--jobs", type=int, default=2, help="processes (2)")
    options = parser.parse_args(argv)
    if not hasattr(os, "fork"):
        print("mutants need fork, which this system does not have: run this on Linux or macOS")
        return 2
    chosen = [t for t in targets() if not options.only or any(_matches(t, p) for p in options.only)]
    if not chosen:
        print(f"no room or function matches {' '.join(options.only)}")
        return 2
    begin = time.perf_counter()
    known = equivalents()
    mutants = [(t, m) for t in chosen for m in mutations(t.node)][:: options.sample]
    outcomes = tried(mutants, options, known)
    outcomes.sort(key=lambda o: (o.room, o.file, o.line))
    print(report(outcomes, time.perf_counter() - begin))
    old = stale(known, chosen, outcomes)
    for line in old:
        print(f"{EQUIVALENT.name}: {line}")
    if options.json is not None:
        options.json.write_text(json.dumps([asdict(o) for o in outcomes], indent=1) + "\n", encoding="utf-8")
    return 1 if old or any(o.fate == "survived" for o in outcomes) else 0


def _matches(target: Target, pattern: str) -> bool:
    """``nn.linear``, ``nn``, ``linear``, or the name of a function or of a class."""
    parts = target.room.split(".")
    return (target.room + ".").startswith(pattern + ".") or pattern in (*parts, target.qualname.split(".")[0])


if __name__ == "__main__":
    sys.exit(main())
