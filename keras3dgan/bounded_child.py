"""The child process of `keras3dgan.bounded`: answers one request after the other, within the limits of each."""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import queue
import resource
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from typing import Any

from keras3dgan.errors import InputError

_MOST_WORDS = 1000
# Seconds that the parent has to end an overdue call before the child ends itself, should nobody be left to do it.
_GRACE = 2.0


def main() -> None:
    """Answers until the other side is gone."""
    connection = Connection(int(sys.argv[2]))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which then ends this process
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    requests: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_receive, args=(connection, requests), daemon=True).start()
    prepared: set[str] = set()
    for word in sys.argv[3:]:
        if ":" in word:
            _prepare_once(word, prepared)
        else:
            importlib.import_module(word)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    while True:
        request = json.loads(requests.get())
        function = _prepare(request, prepared)
        connection.send_bytes(b"")
        os.dup2(nowhere, 2)  # what a library has to say of hostile bytes is nobody's concern
        reply, content = _answer(function, request)
        connection.send_bytes(json.dumps(reply).encode())
        connection.send_bytes(content)


def _receive(connection: Connection, requests: queue.SimpleQueue[bytes]) -> None:
    """In a thread of its own, so that an orphan ends in the middle of its work too."""
    while True:
        try:
            requests.put(connection.recv_bytes())
        except (OSError, EOFError):
            os._exit(0)


def _prepare(request: dict[str, Any], prepared: set[str]) -> Callable[..., Any]:
    """The function that is asked for, after what has no limits."""
    function = _find(request["function"])
    if request["prepare"]:
        _prepare_once(request["prepare"], prepared)
    with contextlib.suppress(OSError, KeyError):
        os.chdir(request["folder"])
    return function


def _prepare_once(function: str, prepared: set[str]) -> None:
    if function not in prepared:
        _find(function)()
        prepared.add(function)


def _answer(function: Callable[..., Any], request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    try:
        with _limited(request["seconds"] + _GRACE, request["bytes"]):
            result, content = function(**request["arguments"])
            return {"result": result}, content
    except InputError as error:
        return {"refused": _cut(str(error)), "setting": error.setting}, b""
    except MemoryError:
        return {"memory": True}, b""
    except Exception:  # a fault of the reader, which must not cost the other files of a folder
        return {"failed": traceback.format_exc()[-10 * _MOST_WORDS :]}, b""


def _find(function: str) -> Callable[..., Any]:
    module, _, name = function.partition(":")
    return getattr(importlib.import_module(module), name)


def _cut(text: str) -> str:
    return text if len(text) <= _MOST_WORDS else f"{text[:_MOST_WORDS]}..."


@contextlib.contextmanager
def _limited(seconds: float, most: int) -> Iterator[None]:
    """Inside, memory beyond a limit is refused, where the system does that, and time beyond a limit ends the process."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    if sys.platform == "linux":
        with open("/proc/self/statm") as file:
            reserved = int(file.read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (min(reserved + most, 1 << 62), before[1]))
    # The signal's default, which no library can hold up.
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        if sys.platform == "linux":
            resource.setrlimit(resource.RLIMIT_AS, before)
