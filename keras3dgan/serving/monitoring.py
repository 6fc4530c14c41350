"""Counts of requests, as Prometheus reads them."""

from __future__ import annotations

import collections
import contextlib
import threading
import time
from collections.abc import Iterator

from keras3dgan.serving.transport import ServingError


class Monitor:
    """Requests by model and outcome, and the time they took, under TensorFlow Serving's names."""

    def __init__(self):
        self._lock = threading.Lock()
        self._counts: collections.Counter[tuple[str, str]] = collections.Counter()
        self._micros: collections.Counter[str] = collections.Counter()

    @contextlib.contextmanager
    def request(self, model: str) -> Iterator[None]:
        """Counts what happens inside as one request."""
        begin, status = time.perf_counter(), "OK"
        try:
            yield
        except ServingError as error:
            status = error.code
            if status == "NOT_FOUND":
                model = ""  # names that strangers make up are no series of ours
            raise
        finally:
            with self._lock:
                self._counts[model, status] += 1
                self._micros[model] += round(1e6 * (time.perf_counter() - begin))

    def text(self) -> str:
        """The counts in Prometheus's text format."""
        with self._lock:
            counts, micros = sorted(self._counts.items()), sorted(self._micros.items())
        lines = ["# TYPE :tensorflow:serving:request_count counter"]
        lines += [
            f':tensorflow:serving:request_count{{model_name="{model}",status="{status}"}} {count}'
            for (model, status), count in counts
        ]
        lines.append("# TYPE :tensorflow:serving:request_latency counter")
        lines += [f':tensorflow:serving:request_latency_sum{{model_name="{model}"}} {total}' for model, total in micros]
        return "\n".join(lines) + "\n"
