"""What is converted, one by one: each item carries its result or its error from stage to stage."""

from __future__ import annotations

import collections
import concurrent.futures
import dataclasses
import itertools
import math
import os
import pathlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

import tqdm

from keras3dgan.codec.origin import Origin
from keras3dgan.errors import InputError, printable

T = TypeVar("T")
# Items that a stage takes at a time.
BATCH = 32


@dataclasses.dataclass
class Item:
    """One thing on its way from a file to another.

    Attributes:
        name: what errors call it.
        source: the file it comes from.
        target: where it goes; in an archive its name there.
        content: what the stages have made of it so far: a grid, a stream, an occupancy.
        iou: of what will be restored, where that is known.
        size: bytes written.
        origin: how the shape lay in its file, and where.
        reduced_from: n of the n^3 grid in the file, where it was finer than what is coded.
        error: a sentence on what is wrong; stages leave such items alone.
    """

    name: str
    source: pathlib.Path
    target: pathlib.Path
    content: Any = None
    iou: float = math.nan
    size: int = 0
    origin: Origin = Origin()
    reduced_from: int | None = None
    error: str | None = None

    def fail(self, error: InputError) -> None:
        """Ends the item's way."""
        self.error, self.content = sentence(error), None


def sentence(error: InputError) -> str:
    """What a person at a terminal reads: a setting is a flag there."""
    return f"--{error}" if getattr(error, "setting", None) else str(error)


def batches(items: Iterable[T], size: int = BATCH) -> Iterator[list[T]]:
    """Lists of so many, the last one shorter."""
    iterator = iter(items)
    while batch := list(itertools.islice(iterator, size)):
        yield batch


def on_all_cores(work: Callable[[T], None], items: Iterable[T]) -> Iterator[T]:
    """Gives each item, in their order, once `work` is done with it; up to `BATCH` are worked on ahead of what is asked for.

    Threads do it, so only what releases the interpreter's lock is faster: numba, and numpy with large arrays.
    """
    pool = concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0)))
    ahead: collections.deque[tuple[T, concurrent.futures.Future[None]]] = collections.deque()
    try:
        for item in items:
            ahead.append((item, pool.submit(work, item)))
            if len(ahead) == BATCH:
                yield _done(*ahead.popleft())
        while ahead:
            yield _done(*ahead.popleft())
    finally:
        pool.shutdown(cancel_futures=True)


def ahead(items: Iterable[T], size: int = BATCH) -> Iterator[T]:
    """Gives the items; the stages before work on the next `size` of them in another thread while this one has them in hand."""
    pool, coming = concurrent.futures.ThreadPoolExecutor(1), batches(items, size)
    try:
        following = pool.submit(next, coming, None)
        while batch := following.result():
            following = pool.submit(next, coming, None)
            yield from batch
    finally:
        pool.shutdown(cancel_futures=True)


def _done(item: T, work: concurrent.futures.Future[None]) -> T:
    work.result()
    return item


def sound(items: Iterable[Item]) -> list[Item]:
    """Those without an error."""
    return [item for item in items if item.error is None]


class Tally:
    """Counts what came of items, and shows progress.

    Args:
        name: of the command, for its progress bar.
        total: how many items there are.

    Attributes:
        written: items that were written.
        failed: items that were not.
    """

    def __init__(self, name: str, total: int):
        self._name = name
        self._total = total
        self.written: list[Item] = []
        self.failed: list[Item] = []

    def run(self, items: Iterable[Item]) -> None:
        """Drains the last stage."""
        for item in tqdm.tqdm(items, total=self._total, disable=self._total <= BATCH, desc=self._name):
            (self.failed if item.error else self.written).append(item)
            item.content = None

    def where(self) -> str:
        """What was written, in a few words."""
        first = printable(str(self.written[0].target))
        return f"{first}" if self._total == 1 else f"{len(self.written)} files, first {first}"

    def finish(self, line: str | None = None) -> None:
        """Says what was written, by `where` unless a line is given, and raises what was not."""
        if self.written:
            print(line or self.where())
        if self.failed:
            raise self.error()

    def error(self) -> InputError:
        """What was not written."""
        if self._total == 1:
            return InputError(str(self.failed[0].error))
        lines = "".join(f"\n  {item.error}" for item in self.failed)
        return InputError(f"{len(self.failed)} of {self._total} failed:{lines}")


def written(item: Item) -> Item:
    """Notes the size of what has just been written."""
    item.size = os.path.getsize(item.target)
    return item
