"""Joins requests that come at about the same time, as TensorFlow Serving's batching does."""

from __future__ import annotations

import concurrent.futures
import dataclasses
import pathlib
import queue
import re
import threading
import time
from collections.abc import Callable

import numpy as np

from keras3dgan.errors import InputError
from keras3dgan.serving.transport import ServingError

Inputs = dict[str, np.ndarray]


@dataclasses.dataclass(frozen=True)
class BatchingParameters:
    """The parameters of TensorFlow Serving's batching that are kept here too, with their names there.

    Attributes:
        max_batch_size: shapes in a joined request; a larger request is refused.
        batch_timeout_micros: how long the first request waits for others.
        max_enqueued_batches: batches that may wait; a request beyond is refused.
        num_batch_threads: batches that run at the same time.
    """

    max_batch_size: int = 32
    batch_timeout_micros: int = 1000
    max_enqueued_batches: int = 64
    num_batch_threads: int = 2


def read_parameters(path: pathlib.Path) -> BatchingParameters:
    """Reads TensorFlow Serving's file of batching parameters, as `max_batch_size { value: 32 }`; others are passed over.

    Raises:
        InputError: it cannot be read, or a value is not above 0.
    """
    try:
        text = re.sub("#.*", "", path.read_text())
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}).", "batching_parameters_file") from error
    found = {name: int(value) for name, value in re.findall(r"(\w+)\s*:?\s*\{\s*value\s*:\s*(\d+)\s*\}", text)}
    names = {field.name for field in dataclasses.fields(BatchingParameters)}
    parameters = BatchingParameters(**{name: value for name, value in found.items() if name in names})
    if min(dataclasses.astuple(parameters)) < 1:
        raise InputError(f"{path}: all values must be above 0.", "batching_parameters_file")
    return parameters


@dataclasses.dataclass(frozen=True)
class _Task:
    inputs: Inputs
    rows: int
    future: concurrent.futures.Future


class Batcher:
    """Runs a function of whole batches for many callers.

    Args:
        run: inputs to outputs, all with the batch as their first axis.
        parameters: how to join.
    """

    def __init__(self, run: Callable[[Inputs], Inputs], parameters: BatchingParameters):
        self._run = run
        self._parameters = parameters
        self._tasks: queue.Queue[_Task | None] = queue.Queue()
        self._waiting = 0
        self._closed = False
        self._lock = threading.Lock()
        self._collecting = threading.Lock()
        self._left_over: _Task | None = None
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(parameters.num_batch_threads)]
        for thread in self._threads:
            thread.start()

    def submit(self, inputs: Inputs) -> Inputs:
        """The outputs for these inputs; waits.

        Raises:
            ServingError: the inputs have no common number of rows or too many, too many wait, or the function failed.
        """
        rows = {len(value) for value in inputs.values()}
        if len(rows) != 1:
            raise ServingError("INVALID_ARGUMENT", "Batching input tensors must have equal 0th-dimension sizes.")
        [count] = rows
        limit = self._parameters.max_batch_size
        if count > limit:
            raise ServingError("INVALID_ARGUMENT", f"Task size {count} is larger than maximum input batch size {limit}")
        with self._lock:
            if self._waiting + count > limit * self._parameters.max_enqueued_batches:
                raise ServingError("UNAVAILABLE", "The batch scheduling queue to which this task was submitted is full")
            closed = self._closed
            task = _Task(inputs, count, concurrent.futures.Future())
            if not closed:
                self._waiting += count
                self._tasks.put(task)
        # A request may have found its model just before the server let go of it.
        return self._run(inputs) if closed else task.future.result()

    def close(self) -> None:
        """Lets the threads end once they have done what waits."""
        with self._lock:
            self._closed = True
            for _ in self._threads:
                self._tasks.put(None)

    def _work(self) -> None:
        while batch := self._collect():
            with self._lock:
                self._waiting -= sum(task.rows for task in batch)
            try:
                names = batch[0].inputs
                joined = {name: np.concatenate([task.inputs[name] for task in batch]) for name in names}
                outputs = self._run(joined)
            except Exception as error:  # whatever it is, the callers wait for it
                for task in batch:
                    task.future.set_exception(error)
                continue
            start = 0
            for task in batch:
                task.future.set_result({name: value[start : start + task.rows] for name, value in outputs.items()})
                start += task.rows

    def _collect(self) -> list[_Task]:
        """The next batch: what comes within the timeout, up to the size. Empty at the end."""
        with self._collecting:
            first, self._left_over = self._left_over or self._tasks.get(), None
            if first is None:
                return []
            batch, rows = [first], first.rows
            end = time.monotonic() + self._parameters.batch_timeout_micros / 1e6
            while rows < self._parameters.max_batch_size:
                try:
                    task = self._tasks.get(timeout=max(end - time.monotonic(), 0))
                except queue.Empty:
                    break
                if task is None:
                    self._tasks.put(None)
                    break
                if rows + task.rows > self._parameters.max_batch_size:
                    self._left_over = task
                    break
                batch.append(task)
                rows += task.rows
            return batch
