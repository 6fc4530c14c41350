"""What tests have a child process do."""

import os
import sys
import time

from keras3dgan.errors import InputError

_prepared = []


def echo(**given):
    return {"given": given, "pid": os.getpid()}, bytes(range(256))


def modules():
    return {"names": [name for name in sys.modules if "." not in name]}, b""


def prepare():
    _prepared.append(1)
    time.sleep(0.4)


def prepared():
    return {"times": len(_prepared)}, b""


def sleep(seconds):
    time.sleep(seconds)
    return {}, b""


def spin():
    """Holds the interpreter, as a library in C does."""
    return {"length": len(str(7 ** (10**7)))}, b""  # minutes


def fill(mebibytes):
    return {"length": len(bytearray(mebibytes << 20))}, b""


def end(number):
    os.kill(os.getpid(), number)
    time.sleep(9)


def refuse():
    raise InputError("\x1b[31mthis will not do; " + "x" * 10_000, "length")


def fail():
    raise KeyError("nobody expects this")


def answer_too_much():
    return {}, bytes(1 << 27)
