"""``DataLoader``: batches of a dataset, in PyTorch's order for the same seed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from ndl.ops.random import Generator, default_generator
from ndl.utils.data.collate import default_collate, default_convert
from ndl.utils.data.dataset import IterableDataset
from ndl.utils.data.sampler import BatchSampler, RandomSampler, SequentialSampler

__all__ = ["DataLoader", "get_worker_info"]


def get_worker_info() -> None:
    """None, as in PyTorch's main process: samples are loaded in the calling process here."""


class DataLoader:
    """Iterates over a dataset in batches, as ``torch.utils.data.DataLoader``.

    Samples are loaded in the calling process. ``num_workers`` and the options of worker processes and pinned memory
    are accepted so that programs run unchanged; they do not change what is loaded. Datasets that can give a whole
    batch at once (``batch(indices)``: TensorDataset, the datasets of ndl, and Subsets of them) are asked for it unless
    a ``collate_fn`` is given.

    Raises ValueError for options that exclude one another, as PyTorch does.
    """

    def __init__(
        self,
        dataset: Any,
        batch_size: int | None = 1,
        shuffle: bool | None = None,
        sampler: Iterable | None = None,
        batch_sampler: Iterable | None = None,
        num_workers: int = 0,
        collate_fn: Callable | None = None,
        pin_memory: bool = False,
        drop_last: bool = False,
        timeout: float = 0,
        worker_init_fn: Callable | None = None,
        multiprocessing_context: Any = None,
        generator: Generator | None = None,
        *,
        prefetch_factor: int | None = None,
        persistent_workers: bool = False,
        pin_memory_device: str = "",
        in_order: bool = True,
    ) -> None:
        if num_workers < 0:
            raise ValueError(f"num_workers option should be non-negative, but got {num_workers}")
        if timeout < 0:
            raise ValueError(f"timeout option should be non-negative, but got {timeout}")
        self._iterable = isinstance(dataset, IterableDataset)
        if self._iterable and (shuffle or sampler is not None or batch_sampler is not None):
            raise ValueError(
                "an IterableDataset decides its own order: shuffle, sampler and batch_sampler do not go with it"
            )
        if sampler is not None and shuffle:
            raise ValueError("sampler option is mutually exclusive with shuffle")
        if batch_sampler is not None:
            if batch_size != 1 or shuffle or sampler is not None or drop_last:
                raise ValueError(
                    "batch_sampler option is mutually exclusive with batch_size, shuffle, sampler, and drop_last"
                )
            batch_size, drop_last = None, False
        elif batch_size is None and drop_last:
            raise ValueError("batch_size=None option disables auto-batching and is mutually exclusive with drop_last")
        self.dataset = dataset
        self.num_workers = num_workers
        self.pin_memory = pin_memory
        self.timeout = timeout
        self.worker_init_fn = worker_init_fn
        self.prefetch_factor = prefetch_factor
        self.persistent_workers = persistent_workers
        self._started = False
        self.generator = generator
        self.drop_last = drop_last
        self.batch_size = batch_size
        if sampler is None and not self._iterable:
            sampler = RandomSampler(dataset, generator=generator) if shuffle else SequentialSampler(dataset)
        self.sampler = sampler
        if batch_sampler is None and batch_size is not None and not self._iterable:
            assert sampler is not None
            batch_sampler = BatchSampler(sampler, batch_size, drop_last)
        self.batch_sampler = batch_sampler
        self._auto_collation = batch_sampler is not None or (self._iterable and batch_size is not None)
        self._whole_batches = collate_fn in (None, default_collate) and hasattr(dataset, "batch")
        self.collate_fn = collate_fn or (default_collate if self._auto_collation else default_convert)

    def __iter__(self) -> Iterator[Any]:
        # PyTorch draws a seed for its workers here, workers or not, and once for all epochs if they persist; so do we, or
        # the streams would part.
        if not (self._started and self.persistent_workers and self.num_workers):
            (default_generator if self.generator is None else self.generator).random()
        self._started = True
        return self._from_stream() if self._iterable else self._from_map()

    def _from_map(self) -> Iterator[Any]:
        dataset, collate = self.dataset, self.collate_fn
        if not self._auto_collation:
            for index in self.sampler or ():
                yield collate(dataset[index])
            return
        for indices in self.batch_sampler or ():
            if self._whole_batches:
                yield dataset.batch(indices)
            elif hasattr(dataset, "__getitems__"):
                yield collate(dataset.__getitems__(indices))
            else:
                yield collate([dataset[i] for i in indices])

    def _from_stream(self) -> Iterator[Any]:
        if self.batch_size is None:
            for sample in self.dataset:
                yield self.collate_fn(sample)
            return
        batch: list = []
        for sample in self.dataset:
            batch.append(sample)
            if len(batch) == self.batch_size:
                yield self.collate_fn(batch)
                batch = []
        if batch and not self.drop_last:
            yield self.collate_fn(batch)

    def __len__(self) -> int:
        if self._iterable:
            n = len(self.dataset)
            if self.batch_size is None:
                return n
            return n // self.batch_size if self.drop_last else -(-n // self.batch_size)
        return len(self.batch_sampler if self._auto_collation else self.sampler)  # type: ignore[arg-type]

    @classmethod
    def __class_getitem__(cls, item: Any) -> type:
        return cls
