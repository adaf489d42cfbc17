"""What ``ndl.verify.check`` found, in words."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class CheckReport:
    """What ``check`` found: true if nothing is wrong; printed, it says what is.

    Attributes
        problems: (which check, what is wrong), in order.
        passed: the checks that found nothing.
        notes: what could not be checked, and why.
    """

    name: str
    problems: list[tuple[str, str]] = field(default_factory=list)
    passed: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return not self.problems

    def __str__(self) -> str:
        if self:
            lines = [f"{self.name}: nothing wrong found"]
        else:
            n = len(self.problems)
            lines = [f"{self.name}: {n} {'thing is' if n == 1 else 'things are'} wrong"]
        for which, what in self.problems:
            lines.append(f"  ✗ {which}: " + what.replace("\n", "\n      "))
        if self.passed:
            lines.append("  ✓ " + ", ".join(self.passed))
        lines += [f"  note: {note}" for note in self.notes]
        return "\n".join(lines)

    __repr__ = __str__

    def wrong(self, which: str, what: str) -> None:
        self.problems.append((which, what))
