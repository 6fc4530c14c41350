"""A function called in a process of its own, so that no file takes more time or memory than it may."""

from __future__ import annotations

import multiprocessing
import resource
import signal
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

from keras3dgan.errors import InputError

# Importing and compiling, which the first call waits for.
_START_SECONDS = 300
_STOP_SECONDS = 5


class LimitedCalls:
    """Calls a function in another process, which is started anew where a call goes over a limit.

    Args:
        function: at module level; gives what can be pickled, or raises `InputError`.
        warm_up: calls it once on something small, so that compiling counts for no file.
        seconds: of the processor, which a call may take.
        memory: bytes that the process may ask for.
    """

    def __init__(self, function: Callable[..., Any], warm_up: Callable[[], Any], seconds: float, memory: int):
        self._function = function
        self._warm_up = warm_up
        self._seconds = seconds
        self._memory = memory
        self._process: multiprocessing.process.BaseProcess | None = None
        self._pipe: Connection | None = None

    def __enter__(self) -> LimitedCalls:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    def __call__(self, *arguments: Any) -> Any:
        """The function's result.

        Raises:
            InputError: the function's own, or a limit was reached.
        """
        if self._pipe is None:
            self._start()
        assert self._pipe is not None
        try:
            self._pipe.send(arguments)
            result, sentence = self._pipe.recv()
        except (EOFError, ConnectionError):
            ended = self._stop()
            slow = f"takes more than {self._seconds:g} seconds."
            raise InputError(slow if ended == -signal.SIGPROF else "ends the process that reads it.") from None
        if sentence:
            raise InputError(sentence)
        return result

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, other = context.Pipe()
        work = (other, self._function, self._warm_up, self._seconds, self._memory)
        self._process = context.Process(target=_serve, args=work, daemon=True)
        self._process.start()
        other.close()
        try:
            started = self._pipe.poll(_START_SECONDS) and self._pipe.recv()
        except EOFError:
            started = False
        if not started:
            self._stop()
            raise RuntimeError("the process that reads files did not start; its own error stands above")

    def _stop(self) -> int | None:
        """Ends the process and gives its exit status."""
        status = None
        if self._process is not None and self._pipe is not None:
            self._pipe.close()  # an idle process ends by itself
            self._process.join(_STOP_SECONDS)
            self._process.kill()
            self._process.join()
            status = self._process.exitcode
        self._process = self._pipe = None
        return status


def _serve(
    pipe: Connection, function: Callable[..., Any], warm_up: Callable[[], Any], seconds: float, memory: int
) -> None:
    warm_up()
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    pipe.send(True)
    while True:
        try:
            arguments = pipe.recv()
        except EOFError:
            return
        # The system ends the process when the time is over: compiled code heeds no handler of Python's.
        signal.setitimer(signal.ITIMER_PROF, seconds)
        try:
            reply = (function(*arguments), "")
        except InputError as error:
            reply = (None, str(error))
        except MemoryError:
            reply = (None, f"needs more than {memory >> 30} GiB of memory.")
        signal.setitimer(signal.ITIMER_PROF, 0)
        pipe.send(reply)
