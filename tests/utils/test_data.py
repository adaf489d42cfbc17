"""``utils.data``: the same seed visits the same samples in the same order as PyTorch."""

from __future__ import annotations

from collections import OrderedDict, UserList, namedtuple
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import torch
import torch.utils.data

import ndl
import ndl.utils.data

LIBRARIES = pytest.mark.parametrize("T", [ndl, torch], ids=["ndl", "torch"])


def both(program: Any) -> None:
    """Run a program in both libraries from one seed and compare what it returns."""
    results = []
    for T in (ndl, torch):
        T.manual_seed(5)
        results.append(program(T, T.utils.data))
    assert results[0] == results[1]


def lists(batch: Any) -> Any:
    """A batch as plain Python."""
    if hasattr(batch, "tolist"):
        return [str(batch.dtype).split(".")[-1], batch.tolist()]
    if isinstance(batch, dict):
        return {k: lists(v) for k, v in batch.items()}
    return [lists(b) for b in batch] if isinstance(batch, (list, tuple)) else batch


@pytest.mark.parametrize("options", [
    {"batch_size": 4}, {"batch_size": 4, "shuffle": True}, {"batch_size": 4, "shuffle": True, "drop_last": True},
    {"batch_size": None}, {"batch_size": 1, "shuffle": True}, {"batch_size": 100},
])  # fmt: skip
def test_orders(options: dict) -> None:
    def program(T: Any, data: Any) -> Any:
        dataset = data.TensorDataset(T.arange(11), T.arange(22.0).reshape(11, 2))
        loader = data.DataLoader(dataset, **options)
        return [len(loader), [lists(list(b)) for _ in range(2) for b in loader], T.rand(2).tolist()]

    both(program)


def test_seeded_generator() -> None:
    def program(T: Any, data: Any) -> Any:
        g = T.Generator().manual_seed(9)
        loader = data.DataLoader(list(range(20)), batch_size=3, shuffle=True, generator=g)
        return [b.tolist() for _ in range(2) for b in loader]

    both(program)


def test_workers_that_persist_are_seeded_once() -> None:
    def program(T: Any, data: Any) -> Any:
        g = T.Generator().manual_seed(9)
        options: dict = {"num_workers": 1, "persistent_workers": True, "prefetch_factor": 2}
        loader = data.DataLoader(list(range(9)), batch_size=3, shuffle=True, generator=g, **options)
        assert loader.persistent_workers and loader.prefetch_factor == 2
        return [b.tolist() for _ in range(3) for b in loader]

    both(program)


@pytest.mark.parametrize("drop_last", [False, True])
@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("n", [7, 2])
def test_distributed_sampler(n: int, shuffle: bool, drop_last: bool) -> None:
    def program(T: Any, data: Any) -> Any:
        orders: list = []
        for rank in range(3):
            sampler = data.DistributedSampler(range(n), 3, rank, shuffle=shuffle, seed=4, drop_last=drop_last)
            orders += [list(sampler), len(sampler)]
            sampler.set_epoch(1)
            orders += [list(sampler), sampler.total_size, sampler.num_samples]
        return orders

    both(program)


def test_distributed_sampler_wants_to_know_its_place() -> None:
    for data in (ndl.utils.data, torch.utils.data):
        with pytest.raises(ValueError, match=r"Invalid rank 2, rank should be in the interval \[0, 1\]"):
            data.DistributedSampler([1], 2, 2)
    with pytest.raises(RuntimeError, match="Give num_replicas and rank"):
        ndl.utils.data.DistributedSampler([1])


def test_samplers() -> None:
    def program(T: Any, data: Any) -> Any:
        source = list(range(10))
        return [
            list(data.SequentialSampler(source)),
            list(data.RandomSampler(source)),
            list(data.RandomSampler(source, replacement=True, num_samples=70)),
            list(data.RandomSampler(source, num_samples=23)),
            list(data.SubsetRandomSampler([5, 3, 8, 1])),
            list(data.WeightedRandomSampler([0.1, 0.0, 3.0, 1.0], 9)),
            list(data.BatchSampler(data.SequentialSampler(source), 3, True)),
            len(data.BatchSampler(data.SequentialSampler(source), 3, False)),
            [lists(b) for b in data.DataLoader(source, batch_sampler=data.BatchSampler([3, 1, 2], 2, False))],
            [lists(b) for b in data.DataLoader(source, sampler=[4, 2])],
        ]

    both(program)


def test_splits() -> None:
    def program(T: Any, data: Any) -> Any:
        parts = data.random_split(range(11), [0.5, 0.3, 0.2]) + data.random_split(range(5), [2, 3])
        return [[p[i] for i in range(len(p))] for p in parts]

    both(program)


def test_collation() -> None:
    Point = namedtuple("Point", "x y")

    def program(T: Any, data: Any) -> Any:
        collate = data.default_collate
        point = collate([Point(1, 2.0), Point(3, 4.0)])
        return [
            lists(collate([1, 2, 3])), lists(collate([0.5, 1.5])), lists(collate(["a", "b"])),
            lists(collate([(1, [2.0, "z"]), (3, [4.0, "w"])])), lists(collate([{"a": 1}, {"a": 2}])),
            lists(collate([np.ones(2, np.float32), np.zeros(2, np.float32)])), lists(collate([T.ones(2), T.zeros(2)])),
            type(point).__name__, lists(tuple(point)), lists(collate([np.float64(1), np.float64(2)])),
        ]  # fmt: skip

    both(program)


def test_text_is_collated_to_what_held_it() -> None:
    Point = namedtuple("Point", "name x")
    batches = [
        ["a", "b"], ("a", "b"), [b"a", b"b"], [np.str_("a"), np.str_("b")], [(1, "a"), (2, "b")], [[1, b"a"], [2, b"b"]],
        [{"k": "a", "n": 1}, {"k": "b", "n": 2}], [Point("a", 1), Point("b", 2)], [(("a", 1), "x"), (("b", 2), "y")],
        [({"k": "a"},), ({"k": "b"},)], [{"k": ["a", 1]}, {"k": ["b", 2]}], [(Point("a", 1), "x"), (Point("b", 2), "y")],
        [OrderedDict(k="a"), OrderedDict(k="b")], [UserList(["a", 1]), UserList(["b", 2])], [range(2), range(2)],
    ]  # fmt: skip

    def typed(batch: Any) -> Any:
        """A batch as plain Python with the names of all types."""
        if isinstance(batch, Mapping):
            return type(batch).__name__, {k: typed(v) for k, v in batch.items()}
        if isinstance(batch, (list, tuple, UserList)):
            return type(batch).__name__, [typed(b) for b in batch]
        return batch.tolist() if hasattr(batch, "tolist") else (type(batch).__name__, batch)

    both(lambda T, data: [typed(data.default_collate(b)) for b in batches])
    both(lambda T, data: [typed(data.default_convert(b)) for b in batches])


def test_datasets() -> None:
    def program(T: Any, data: Any) -> Any:
        a, b = data.TensorDataset(T.arange(3)), data.TensorDataset(T.arange(10, 14))
        joined = a + b
        subset = data.Subset(joined, [6, 0, 3])
        stacked = data.StackDataset(x=[1, 2], y=[3, 4])
        batches = [lists(x) for x in data.DataLoader(data.Subset(a, [2, 0]), batch_size=2)]
        return [len(joined), joined[-1][0].item(), [subset[i][0].item() for i in range(3)], stacked[1], batches]

    both(program)


def test_iterable() -> None:
    def program(T: Any, data: Any) -> Any:
        class Count(data.IterableDataset):
            def __iter__(self) -> Any:
                return iter(range(7))

        return [
            [lists(b) for b in data.DataLoader(Count(), batch_size=3)],
            [lists(b) for b in data.DataLoader(Count(), batch_size=3, drop_last=True)],
        ]

    both(program)


def test_whole_batches_are_one_indexing() -> None:
    """The vectorised path gives what the path of single samples gives, and never asks for a single sample."""

    class Watched(ndl.utils.data.TensorDataset):
        def __getitem__(self, index: Any) -> Any:
            raise AssertionError("a single sample was loaded")

    x, y = ndl.randn(50, 3), ndl.arange(50)
    fast = ndl.utils.data.DataLoader(Watched(x, y), batch_size=8)
    slow = ndl.utils.data.DataLoader(ndl.utils.data.TensorDataset(x, y), batch_size=8, collate_fn=lambda b: b)
    for (a, b), samples in zip(fast, slow, strict=True):
        np.testing.assert_array_equal(a.numpy(), np.stack([s[0].numpy() for s in samples]))
        assert b.tolist() == [s[1].item() for s in samples]


@LIBRARIES
def test_errors(T: Any) -> None:
    data = T.utils.data
    with pytest.raises(ValueError, match="mutually exclusive with shuffle"):
        data.DataLoader([1], shuffle=True, sampler=[0])
    with pytest.raises(ValueError, match="batch_sampler option is mutually exclusive"):
        data.DataLoader([1], batch_size=2, batch_sampler=[[0]])
    with pytest.raises(ValueError, match="batch_size"):
        data.DataLoader([1], batch_size=0)
    with pytest.raises(ValueError, match="num_samples"):
        data.DataLoader([], shuffle=True)
    with pytest.raises(AssertionError, match="Size mismatch"):
        data.TensorDataset(T.zeros(2), T.zeros(3))
    with pytest.raises(ValueError, match="Sum of input lengths"):
        data.random_split(range(5), [1, 2])
    with pytest.raises(RuntimeError, match="equal size"):
        next(iter(data.DataLoader([T.zeros(2), T.zeros(3)], batch_size=2)))
    with pytest.raises(TypeError, match="default_collate"):
        data.default_collate([object()])


def test_drawing_from_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="empty data source"):
        list(ndl.utils.data.RandomSampler([], num_samples=3))
