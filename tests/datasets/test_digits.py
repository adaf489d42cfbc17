"""The digits that need no download."""

import sys

import numpy as np
import pytest

from ndl.datasets import Digits


def test_the_splits_share_out_scikit_learns_digits() -> None:
    bunch = pytest.importorskip("sklearn.datasets").load_digits()
    train, test = Digits(), Digits(train=False)
    assert (len(train), len(test)) == (1442, 355)
    both = np.concatenate([train.data, test.data]).reshape(1797, 64)
    assert sorted(map(bytes, both)) == sorted(map(bytes, bunch.data.astype(np.uint8)))
    for digit in range(10):
        whole = int((bunch.target == digit).sum())
        assert int((test.targets == digit).sum()) == whole // 5


def test_the_fifth_of_each_class_is_the_first_held_out() -> None:
    bunch = pytest.importorskip("sklearn.datasets").load_digits()
    test = Digits(train=False)
    for digit in range(10):
        fifth = bunch.images[np.flatnonzero(bunch.target == digit)[4]]
        np.testing.assert_array_equal(test.data[test.targets == digit][0], fifth)


def test_items_and_arrays() -> None:
    pytest.importorskip("sklearn.datasets")
    train = Digits()
    image, label = train[0]
    assert image.shape == (8, 8)
    assert image.dtype == np.uint8
    assert type(label) is int
    plain, _ = train.arrays(normalised=False)
    assert plain.shape == (1442, 1, 8, 8)
    assert (plain.min(), plain.max()) == (0.0, 1.0)
    normal, _ = train.arrays()
    assert abs(float(normal.mean(dtype=np.float64))) < 2e-4  # the constants have four digits
    assert abs(float(normal.std(dtype=np.float64)) - 1) < 2e-4


def test_without_scikit_learn_the_command_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(ImportError, match=r"Digits dataset needs scikit-learn.*pip install 'ndl\[train\]'"):
        Digits()
