"""What ``gradcheck`` says when a gradient is wrong: where, by how much, and what the pattern looks like."""

from __future__ import annotations

import numpy as np

SHOWN = 5  # elements listed in a message


class GradcheckError(RuntimeError):
    """A gradient differs from the central differences; the message says where and by how much."""


def mismatch(
    analytical: np.ndarray,
    numerical: np.ndarray,
    output: tuple[int, tuple],
    input: tuple[int, tuple],
    rtol: float,
    atol: float,
) -> GradcheckError:
    """The error for two Jacobians (output elements × input elements) that differ, the worst elements first.

    ``output`` and ``input`` are (number, shape).
    """
    with np.errstate(all="ignore"):
        difference = np.abs(analytical - numerical)
        wrong = ~(difference <= atol + rtol * np.abs(numerical))
        ratio = analytical / numerical
    order = np.argsort(-np.where(np.isnan(difference), np.inf, difference), axis=None, kind="stable")
    worst = [np.unravel_index(k, wrong.shape) for k in order if wrong.reshape(-1)[k]]
    lines = [
        f"Jacobian mismatch for output {output[0]} with respect to input {input[0]}: {len(worst)} of "
        f"{wrong.size} elements differ by more than {atol:g} + {rtol:g} · |numerical|. The largest:",
    ]
    for i, j in worst[:SHOWN]:
        lines.append(
            f"  ∂ output {output[0]}{_place(i, output[1])} / ∂ input {input[0]}{_place(j, input[1])}: "
            f"numerical {numerical[i, j]:.10g}, analytical {analytical[i, j]:.10g}, "
            f"difference {difference[i, j]:.3g}, ratio {ratio[i, j]:.6g}"
        )
    lines += [f"  Note: {note}." for note in _patterns(analytical, numerical, wrong, ratio, rtol, atol)]
    if wrong.size <= 100:
        lines += [f"numerical:\n{numerical}", f"analytical:\n{analytical}"]
    return GradcheckError("\n".join(lines))


def index(k: int, shape: tuple) -> tuple:
    """The index of element number ``k`` of an array of this shape."""
    return tuple(int(i) for i in np.unravel_index(k, shape)) if shape else ()


def _place(k: int, shape: tuple) -> str:
    """``[1, 0]``; nothing for a tensor without dimensions."""
    return str(list(index(k, shape))) if shape else ""


def _patterns(
    analytical: np.ndarray,
    numerical: np.ndarray,
    wrong: np.ndarray,
    ratio: np.ndarray,
    rtol: float,
    atol: float,
) -> list[str]:
    """What a reader may suspect first."""
    if np.isnan(analytical).any() or np.isnan(numerical).any():
        return ["there are nan among the numbers"]
    if not analytical[wrong].any():
        return ["the analytical gradient is zero wherever it is wrong: a term or a whole gradient is missing"]
    large = np.abs(numerical) > 100 * (atol + rtol * np.abs(numerical))
    if large.any() and wrong[large].all() and np.ptp(ratio[large]) <= 1e-3 * np.abs(ratio[large]).max():
        return [f"every analytical element is {ratio[large].mean():.6g} times the numerical one: a wrong factor"]
    if analytical.shape[0] == analytical.shape[1] and np.allclose(analytical.T, numerical, rtol, atol):
        return ["the analytical Jacobian is the transpose of the numerical one"]
    return []
