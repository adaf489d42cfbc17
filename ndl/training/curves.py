"""Loss and accuracy as a picture."""

from __future__ import annotations

import io
import os

import numpy as np

from ndl.training.history import History
from ndl.utils.atomic import replacing

__all__ = ["draw_curves"]

TRAIN, TEST = "#1f77b4", "#d62728"


def draw_curves(history: History, path: str | os.PathLike[str], title: str = "", loss_name: str = "loss") -> None:
    """Draw loss and accuracy over the epochs, for training and test data, into a picture file such as metrics.png.

    Raises ImportError if Matplotlib is not installed, ValueError if no epoch is finished.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
        from matplotlib.ticker import MaxNLocator
    except ImportError as error:
        raise ImportError("drawing curves needs Matplotlib. Run: pip install 'ndl[train]'") from error
    if not history.epochs:
        raise ValueError("there are no curves to draw: no epoch is finished")
    has_accuracy = any(r.train_accuracy is not None or r.test_accuracy is not None for r in history.epochs)
    figure = Figure(figsize=(10 if has_accuracy else 5.5, 4), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)  # draws into memory, whatever windows Matplotlib is set up for
    axes = figure.subplots(1, 2 if has_accuracy else 1, squeeze=False)[0]
    _draw_loss(axes[0], history, loss_name)
    if has_accuracy:
        _draw_accuracy(axes[1], history)
    last = history.epochs[-1].epoch
    for ax in axes:
        ax.set_xlabel("epochs of training")
        ax.set_xlim(0, 1.02 * last)
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        ax.grid(alpha=0.3)
        ax.spines[["top", "right"]].set_visible(False)
    if title:
        figure.suptitle(title, fontsize=11)
    picture = io.BytesIO()
    figure.savefig(picture, format=os.path.splitext(path)[1].lstrip(".") or "png")
    with replacing(path) as file:
        file.write(picture.getvalue())


def _draw_loss(ax, history: History, loss_name: str) -> None:  # type: ignore[no-untyped-def]
    steps = len(history.losses)
    when = np.arange(1, steps + 1) * (history.epochs[-1].epoch / max(steps, 1))
    smooth = history.smoothed_losses()
    ax.plot(when, history.losses, color=TRAIN, alpha=0.2, linewidth=0.6, label="training, each batch")
    ax.plot(when, smooth, color=TRAIN, linewidth=1.5, label="training, running mean")
    test = [(r.epoch, r.test_loss) for r in history.epochs if r.test_loss is not None]
    if test:
        ax.plot(*zip(*test), color=TEST, marker="o", markersize=4, label="test")
    ax.set_ylabel(loss_name)
    ax.legend(frameon=False, loc="upper right")
    # The first batches, and single ones, may be far above all others: show those that tell something.
    shown = [*np.quantile(history.losses, [0.995]), *(loss for _, loss in test)]
    ax.set_ylim(0, 1.05 * max(shown) or 1)


def _draw_accuracy(ax, history: History) -> None:  # type: ignore[no-untyped-def]
    lowest = 1.0
    for name, color in (("train", TRAIN), ("test", TEST)):
        points = [(r.epoch, getattr(r, f"{name}_accuracy")) for r in history.epochs]
        points = [(epoch, accuracy) for epoch, accuracy in points if accuracy is not None]
        if points:
            label = "training, mean over the epoch" if name == "train" else "test, at the epoch's end"
            ax.plot(*zip(*points), color=color, marker="o", markersize=4, label=label)
            lowest = min(lowest, *(accuracy for _, accuracy in points))
    ax.set_ylabel("accuracy (share of examples)")
    ax.legend(frameon=False, loc="lower right")
    ax.set_ylim(max(0.0, lowest - 0.1 * (1 - lowest) - 0.002), 1 + 0.02 * (1 - lowest))
