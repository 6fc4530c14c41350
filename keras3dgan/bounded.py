"""Calls a function of this package in a child process, with bounds on time and memory: for files from untrusted places.

What a library does with hostile bytes cannot be known: it may crash, hang or take all memory. A child process may, and is then
replaced. It is started once and reused, imports no TensorFlow, and ends with the process that started it. It is a bound on
accidents and not a jail: code that took it over would have its user's rights (docs/security.md).
"""

from __future__ import annotations

import atexit
import contextlib
import dataclasses
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from multiprocessing.connection import Pipe
from typing import Any

from keras3dgan.errors import InputError, UnavailableError

# With the interpreter's own path for modules, and never the current folder, where somebody's numpy.py may lie.
_START = "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from keras3dgan import bounded_child as child; child.main()"
# One core a child; and each thread of a library would reserve memory.
_ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS", "NUMBA_NUM_THREADS"), "1"
)
_MOST_REPLY_BYTES = 1 << 26
# Linux refuses memory by itself; elsewhere it is looked at so often, in seconds.
_LOOK = None if sys.platform == "linux" else 0.2


@dataclasses.dataclass(frozen=True)
class Limits:
    """What one call may take.

    Attributes:
        seconds: of the clock.
        bytes: of memory, beyond what the child has before it begins.

    Example:
        >>> from keras3dgan.voxels.io import read_shape, write_shape
        >>> write_shape("cube.obj", np.ones((32, 32, 32), np.uint8))
        >>> read_shape("cube.obj", 32, limits=Limits(seconds=10, bytes=1 << 30)).shape
        (32, 32, 32)
    """

    seconds: float = 30.0
    bytes: int = 2 << 30


def call(
    function: str, arguments: Mapping[str, Any], name: str, limits: Limits, prepare: str | None = None
) -> tuple[dict[str, Any], bytes]:
    """Calls a function in a child process; from any thread.

    Args:
        function: as `keras3dgan.module:function`; it returns what JSON can say as a dictionary, and bytes.
        arguments: its keyword arguments, as JSON can say them; paths are looked up from the current folder.
        name: what errors call the input.
        limits: of this call.
        prepare: a function without arguments that the child calls before, once, and without limits.

    Returns:
        What the function returned.

    Raises:
        InputError: the function's own; or it took too much, crashed or failed, and the sentence says which.
        UnavailableError: no child can be started.
    """
    request = {"function": function, "arguments": arguments, "prepare": prepare, **dataclasses.asdict(limits)}
    with contextlib.suppress(OSError):  # removed under our feet; then only absolute paths are found, as always
        request["folder"] = os.getcwd()
    child = _take()
    try:
        reply, content = child.ask(json.dumps(request).encode(), name, limits)
    except BaseException:
        _end(child)
        raise
    _give_back(child)
    if "memory" in reply:
        raise _too_large(name, limits)
    if "refused" in reply:
        error = InputError(reply["refused"])
        error.setting = reply["setting"]
        raise error
    if "failed" in reply:
        cause = RuntimeError(reply["failed"])
        raise InputError(
            f"{name}: cannot be read, it is damaged in a way that nobody expects; get it again."
        ) from cause
    return reply["result"], content


def start(*modules: str, count: int = 1) -> None:
    """Starts children, so many in all, that get ready while this process has something else to do.

    Args:
        modules: that they import; after a colon, as of `call`, a function to prepare with.
        count: how many.
    """
    for child in [_take(modules) for _ in range(count)]:
        _give_back(child)


class _Child:
    """One process that answers one request at a time; `bounded_child` is its other side."""

    def __init__(self, modules: Sequence[str]) -> None:
        self._connection, other = Pipe()
        with other:
            number = other.fileno()
            command = [sys.executable, "-P", "-W", "ignore", "-c", _START, json.dumps(sys.path), str(number), *modules]
            environment = {**os.environ, **_ONE_THREAD}
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, env=environment, pass_fds=[number]
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    def lives(self) -> bool:
        return self._process.poll() is None

    def ask(self, request: bytes, name: str, limits: Limits) -> tuple[dict[str, Any], bytes]:
        """The reply to a request, and its bytes."""
        try:
            self._connection.send_bytes(request)
            self._connection.recv_bytes(0)  # it begins: imports and preparations are over
        except (OSError, EOFError) as error:
            raise UnavailableError("the process that reads files does not start; its words stand above.") from error
        deadline = time.monotonic() + limits.seconds
        try:
            while not self._connection.poll(self._wait(deadline)):
                if time.monotonic() > deadline:
                    raise _too_slow(name, limits)
                if _LOOK is not None and _resident(self.pid) > limits.bytes:
                    raise _too_large(name, limits)
            reply = json.loads(self._connection.recv_bytes(_MOST_REPLY_BYTES))
            return reply, self._connection.recv_bytes(_MOST_REPLY_BYTES)
        except (OSError, EOFError, UnicodeError, json.JSONDecodeError) as error:
            raise self._lost(name, limits) from error

    def _wait(self, deadline: float) -> float:
        left = max(deadline - time.monotonic(), 0.0)
        return left if _LOOK is None else min(left, _LOOK)

    def _lost(self, name: str, limits: Limits) -> InputError:
        self._connection.close()  # one that still lives ends at that
        status = -self._process.wait()
        if status == signal.SIGALRM:
            return _too_slow(name, limits)
        how = signal.Signals(status).name if status in set(signal.Signals) else f"status {-status}"
        return InputError(f"{name}: crashed what reads it ({how}), it is damaged or hostile; get the file again.")

    def end(self) -> None:
        """Kills the process and waits for it."""
        self._connection.close()
        self._process.kill()
        self._process.wait()

    def forget(self) -> None:
        """Lets go of the process of another: that which this one was forked from."""
        self._connection.close()
        self._process.returncode = 0


def _too_slow(name: str, limits: Limits) -> InputError:
    return InputError(f"{name}: takes more than {limits.seconds:g} s to read; simplify it, or allow more seconds.")


def _too_large(name: str, limits: Limits) -> InputError:
    mebibytes = limits.bytes / (1 << 20)
    return InputError(f"{name}: takes more than {mebibytes:g} MiB of memory to read; simplify it, or allow more.")


def _resident(pid: int) -> int:
    """Bytes of memory that a process has; 0 where it has ended."""
    found = subprocess.run(["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return int(found.stdout or 0) << 10


_children: set[_Child] = set()
_idle: list[_Child] = []
_lock = threading.Lock()


def _take(modules: Sequence[str] = ()) -> _Child:
    with _lock:
        while _idle:
            child = _idle.pop()
            if child.lives():
                return child
            _children.discard(child)  # somebody killed it while it had nothing to do
        child = _Child(modules)
        _children.add(child)
        return child


def _give_back(child: _Child) -> None:
    with _lock:
        _idle.append(child)


def _end(child: _Child) -> None:
    child.end()
    with _lock:
        _children.discard(child)


@atexit.register
def close() -> None:
    """Ends the children that are idle; the next call starts another."""
    with _lock:
        ended = [*_idle]
        _idle.clear()
    for child in ended:
        _end(child)


def _forget() -> None:
    """A forked process has copies of the connections, and must neither use them nor keep them open."""
    global _lock
    _lock = threading.Lock()
    for child in _children:
        child.forget()
    _children.clear()
    _idle.clear()


os.register_at_fork(after_in_child=_forget)
