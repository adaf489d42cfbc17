"""What a training says about itself: progress while it runs, and the lines at the end."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from typing import Any

from ndl.training.history import EpochRecord, History

__all__ = ["Progress", "accuracy_lines", "epoch_line", "peak_memory", "resources_line"]

SECONDS_BETWEEN_LINES = 5.0


class Progress:
    """A bar for each epoch on a terminal; elsewhere a line now and then, which a log can keep.

    The bar is tqdm's, on stderr; without tqdm, and where stderr is no terminal, there are lines. ``shown=False``:
    nothing at all.
    """

    def __init__(self, shown: bool = True) -> None:
        self.shown = shown
        self._bar: Any = None
        self._title = ""
        self._steps = 0
        self._last_line = time.monotonic()

    def begin(self, title: str, steps: int | None, done: int = 0) -> None:
        """An epoch of so many steps begins, of which some may have been done before an interruption."""
        self._title, self._steps = title, steps or 0
        if self.shown and sys.stderr.isatty():
            try:
                from tqdm import tqdm
            except ImportError:
                return
            self._bar = tqdm(total=steps, initial=done, desc=title, unit="batch", leave=False, dynamic_ncols=True)

    def step(self, number: int, loss: float) -> None:
        """Step ``number`` of the epoch is done."""
        if self._bar is not None:
            self._bar.set_postfix_str(f"loss {loss:.3f}", refresh=False)
            self._bar.update()
        elif self.shown and time.monotonic() - self._last_line >= SECONDS_BETWEEN_LINES:
            of = f"/{self._steps}" if self._steps else ""
            self.say(f"{self._title}, batch {number}{of}: loss {loss:.3f}")

    def end(self) -> None:
        """The epoch is over; its bar goes."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def say(self, line: str) -> None:
        """Print a line, unless nothing is to be shown."""
        self._last_line = time.monotonic()
        if self.shown:
            print(line, flush=True)


def epoch_line(record: EpochRecord, epochs: int) -> str:
    """One epoch's figures in one line."""
    parts = [f"train loss {record.train_loss:.4f}"]
    if record.train_accuracy is not None:
        parts.append(f"train accuracy {record.train_accuracy:.3f}")
    if record.test_loss is not None:
        parts.append(f"test loss {record.test_loss:.4f}")
    parts += [f"learning rate {record.learning_rate:.3g}", f"{record.seconds:.2f} s"]
    width = len(str(epochs))
    return f"Epoch {record.epoch:{width}d}/{epochs}: " + ", ".join(parts)


def accuracy_lines(record: EpochRecord, classes: Sequence[str] | None, each_class: bool) -> list[str]:
    """Test accuracy after this epoch, and (``each_class``) of each class by its name."""
    if record.test_accuracy is None:
        return []
    plural = "" if record.epoch == 1 else "s"
    lines = [f"Test accuracy after {record.epoch} epoch{plural}: {record.test_accuracy:.3f}"]
    if each_class:
        for number, accuracy in enumerate(record.class_accuracy):
            name = classes[number] if classes is not None and number < len(classes) else f"class {number}"
            lines.append(f"Accuracy of {name}: " + ("no examples" if accuracy is None else f"{accuracy:.3f}"))
    return lines


def resources_line(history: History) -> str:
    """Training time, and the most memory the process has used."""
    peak = peak_memory()
    memory = "" if peak is None else f"; peak memory {peak / 2**20:.0f} MiB"
    return f"Training time {history.seconds:.1f} s{memory}"


def peak_memory() -> int | None:
    """The largest resident memory of this process so far, in bytes; None where the system does not tell."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
