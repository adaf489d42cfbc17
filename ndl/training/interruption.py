"""Ctrl-C that waits for a good moment."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any

__all__ = ["Interruption", "TrainingInterrupted"]


class TrainingInterrupted(KeyboardInterrupt):
    """Training was stopped by Ctrl-C, after what it had reached was saved. ``str()`` of it says how to go on."""


class _Stop(Exception):
    """Leave the loop: Ctrl-C was pressed."""


class Interruption:
    """While its ``with`` block runs, Ctrl-C is noted, and ``check()`` raises at the next point where one can stop.

    A second Ctrl-C before that point stops at once, as Ctrl-C usually does. While ``saving`` is True every Ctrl-C is
    left unanswered, so that a file in the making is finished. Only the main thread can do this; in others the block
    changes nothing.
    """

    Stop = _Stop

    def __init__(self) -> None:
        self.noted = False
        self.saving = False
        self._before: Any = None

    def __enter__(self) -> Interruption:
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGINT, self._note)
        return self

    def __exit__(self, *error: Any) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.noted and not self.saving:
            raise KeyboardInterrupt
        self.noted = True

    def check(self) -> None:
        """Raise ``Interruption.Stop`` if Ctrl-C was pressed."""
        if self.noted:
            raise _Stop
