"""Cases of ``ndl.nn.ctc``. The inputs are scores, whose gradient is the true one, and see ``frames`` for the other."""

import numpy as np

from ndl.verify.case import Draw, Program, case

REDUCTIONS = ["mean", "sum", "none"]


def _sequences(d: Draw) -> tuple:
    """Scores (T, N, C), labels (N, S), lengths of frames and labels that fit, and the blank."""
    N, C, S = d.size(1, 3), d.size(2, 5), d.size(0, 3)
    T = 2 * S + d.size(1, 4)
    blank = d.integer(0, C - 1)
    labels = d.integers(0, C - 2, N, S)
    labels += labels >= blank
    return d.normal(T, N, C), labels, d.integers(2 * S, T, N), d.integers(0, S, N), blank


@case("nn.ctc.ctc_loss")
def ctc_loss(d: Draw) -> Program:
    x, labels, frames, lengths, blank = _sequences(d)
    reduction = d.choice(REDUCTIONS)

    def run(T, x, t, frames, lengths):  # type: ignore[no-untyped-def]
        l = T.nn.functional.log_softmax(x, 2)
        return T.nn.functional.ctc_loss(l, t, frames, lengths, blank=blank, reduction=reduction)

    return Program(run, x, labels, frames, lengths, second=False)  # PyTorch's cannot be differentiated twice either


@case("nn.ctc.ctc_loss.concatenated")
def concatenated(d: Draw) -> Program:
    """All labels in one row, lengths as tuples."""
    x, labels, frames, lengths, blank = _sequences(d)
    row = np.concatenate([labels[n, :k] for n, k in enumerate(lengths)])
    frames, lengths = tuple(frames.tolist()), tuple(lengths.tolist())

    def run(T, x, t):  # type: ignore[no-untyped-def]
        return T.nn.functional.ctc_loss(T.nn.functional.log_softmax(x, 2), t, frames, lengths, blank=blank)

    return Program(run, x, row, second=False)


@case("nn.ctc.ctc_loss.unbatched")
def unbatched(d: Draw) -> Program:
    x, labels, frames, _, blank = _sequences(d)
    n, reduction = len(labels[0]), d.choice(REDUCTIONS)

    def run(T, x, t):  # type: ignore[no-untyped-def]
        l = T.nn.functional.log_softmax(x, 1)
        return T.nn.functional.ctc_loss(l, t, T.tensor(int(frames[0])), T.tensor(n), blank=blank, reduction=reduction)

    return Program(run, x[:, 0], labels[0], second=False)


@case("nn.ctc.ctc_loss.log_probabilities")
def log_probabilities(d: Draw) -> Program:
    """∂L/∂l as PyTorch hands it on: e^l − γ, which is not what differences give."""
    x, labels, frames, lengths, blank = _sequences(d)
    reduction = d.choice(REDUCTIONS)

    def run(T, l, t, frames, lengths):  # type: ignore[no-untyped-def]
        return T.nn.functional.ctc_loss(l, t, frames, lengths, blank=blank, reduction=reduction)

    return Program(run, x, labels, frames, lengths, numeric=False)


@case("nn.ctc.ctc_loss.impossible")
def impossible(d: Draw) -> Program:
    """More labels than frames: the loss is infinite and the gradient nan, or both are 0."""
    x, labels, _, _, _ = _sequences(d)
    T_max, N, C = x.shape
    labels = d.integers(1, max(1, C - 1), N, 3)
    frames, lengths = d.integers(0, min(3, T_max), N), d.integers(0, 3, N)
    zero, reduction = d.boolean(), d.choice(REDUCTIONS)

    def run(T, x, t, frames, lengths):  # type: ignore[no-untyped-def]
        l = T.nn.functional.log_softmax(x, 2)
        return T.nn.functional.ctc_loss(l, t, frames, lengths, reduction=reduction, zero_infinity=zero)

    return Program(run, x, labels, frames, lengths, numeric=False)


@case("nn.ctc.CTCLoss")
def ctc_module(d: Draw) -> Program:
    x, labels, frames, lengths, blank = _sequences(d)
    reduction = d.choice(REDUCTIONS)

    def run(T, x, t, frames, lengths):  # type: ignore[no-untyped-def]
        loss = T.nn.CTCLoss(blank=blank, reduction=reduction, zero_infinity=True)
        return loss(T.nn.LogSoftmax(dim=2)(x), t, frames, lengths)

    return Program(run, x, labels, frames, lengths, second=False)
