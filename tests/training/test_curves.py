"""Curves: what is drawn, and what is said when nothing can be."""

import sys

import numpy as np
import pytest

from ndl.training import EpochRecord, History, draw_curves


def history(accuracy=True):
    losses = [2.0, 1.0, 0.5, 0.25]
    seen = [0.5, 0.8] if accuracy else [None, None]
    records = [EpochRecord(n + 1, losses[n], seen[n], losses[n], seen[n], [], 0.1, 1.0) for n in range(2)]
    return History(losses, records)


def test_running_mean_is_the_weighted_mean_of_what_came_before():
    losses, w = [3.0, 1.0, 4.0], 0.5
    expected = [3.0, (1 + w * 3) / (1 + w), (4 + w + w * w * 3) / (1 + w + w * w)]
    np.testing.assert_allclose(History(losses).smoothed_losses(w), expected)


@pytest.mark.parametrize("accuracy", [True, False])
def test_a_picture_is_drawn(tmp_path, accuracy):
    from matplotlib.image import imread

    path = tmp_path / "metrics.png"
    draw_curves(history(accuracy), path, title="a title")
    height, width, _ = imread(path).shape
    assert (height, width) == (600, 1500 if accuracy else 825)


def test_what_the_axes_say(tmp_path, monkeypatch):
    from matplotlib.figure import Figure

    drawn = []
    monkeypatch.setattr(Figure, "savefig", lambda self, *args, **kwargs: drawn.append(self))
    draw_curves(history(), tmp_path / "metrics.png", loss_name="cross-entropy (nats)")
    loss, accuracy = drawn[0].axes
    assert (loss.get_ylabel(), loss.get_xlabel()) == ("cross-entropy (nats)", "epochs of training")
    assert accuracy.get_ylabel() == "accuracy (share of examples)"
    each, _, test = loss.get_lines()
    np.testing.assert_allclose(each.get_xdata(), [0.5, 1, 1.5, 2])
    assert list(each.get_ydata()) == [2.0, 1.0, 0.5, 0.25] and list(test.get_ydata()) == [2.0, 1.0]
    assert [list(line.get_ydata()) for line in accuracy.get_lines()] == [[0.5, 0.8], [0.5, 0.8]]


def test_nothing_to_draw_and_nothing_to_draw_with(tmp_path, monkeypatch):
    with pytest.raises(ValueError, match="no epoch is finished"):
        draw_curves(History(), tmp_path / "metrics.png")
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match=r"pip install 'ndl\[train\]'"):
        draw_curves(history(), tmp_path / "metrics.png")
    assert not (tmp_path / "metrics.png").exists()
