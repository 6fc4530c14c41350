"""Ctrl-C and SIGTERM, at any moment of a command. Imports nothing that takes time."""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType
from typing import NoReturn


class Terminated(KeyboardInterrupt):
    """SIGTERM, on which a training saves as on Ctrl-C."""


def catch() -> None:
    """From here on SIGTERM raises `Terminated`, as SIGINT `KeyboardInterrupt`.

    In the middle of an import either ends the process: there are packages that swallow whatever is raised there and go on.
    """
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:  # as of what a shell runs in the background
        signal.signal(signal.SIGINT, _handle)
    signal.signal(signal.SIGTERM, _handle)


def status(error: KeyboardInterrupt) -> tuple[str, int]:
    """What to say of an interrupt, and the exit status."""
    if isinstance(error, Terminated):
        return "terminated", 128 + signal.SIGTERM
    return "stopped", 128 + signal.SIGINT


def leave_at_once(status: int) -> NoReturn:
    """Ends the process without taking it apart: TensorFlow's threads are in the middle of a step, or wait for a lost host, and
    would complain or crash."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def say_and_leave(error: KeyboardInterrupt) -> NoReturn:
    """Where a command has not begun yet."""
    word, code = status(error)
    print(f"keras3dgan: {word}", file=sys.stderr)
    leave_at_once(code)


def _handle(number: int, frame: FrameType | None) -> None:
    error = Terminated() if number == signal.SIGTERM else KeyboardInterrupt()
    while frame:
        if frame.f_code.co_filename == "<frozen importlib._bootstrap>":
            say_and_leave(error)
        frame = frame.f_back
    raise error
