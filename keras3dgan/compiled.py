"""Functions that numba compiles, kept on disk for the next process where there is a place for them."""

from __future__ import annotations

import functools
import logging
import warnings
from collections.abc import Callable
from typing import Any, Literal

import numba
from numba.core.caching import FunctionCache


class _Cache(FunctionCache):
    """Numba's cache, whose files may fail: everything works without them, only later."""

    def load_overload(self, *words: Any) -> Any:
        try:
            found = super().load_overload(*words)
        except Exception:  # a file that cannot be read, or holds no pickle
            found = None
        if found is None:
            _announce()
        return found

    def save_overload(self, *words: Any) -> None:
        try:
            super().save_overload(*words)
        except Exception:  # no room, or as above
            _say_so()


def compiled(function: Callable[..., Any] | None = None, *, inline: Literal["never", "always"] = "never") -> Any:
    """Decorates a function of numbers and arrays: compiled when it is called first, and run without Python's lock.

    Compiled code is kept beside its source, else in the user's cache folder, or where `NUMBA_CACHE_DIR` says. Where none of
    them can be written, as in a container without a home, each process compiles anew and says so once.

    Args:
        function: what to compile.
        inline: `always` copies it into the compiled functions that call it.
    """
    if function is None:
        return functools.partial(compiled, inline=inline)
    found: Any = numba.njit(nogil=True, inline=inline)(function)
    try:
        found._cache = _Cache(function)  # as numba's cache=True does, with its own class
    except (RuntimeError, OSError):
        _say_so()
    return found


@functools.cache
def _announce() -> None:
    logging.getLogger(__name__).info("compiling for this processor, once; it takes up to a minute")


@functools.cache  # once a process; Python forgets what it has shown whenever numba changes the filters of warnings
def _say_so() -> None:
    text = "compiled functions cannot be kept on disk, so each start takes longer; set NUMBA_CACHE_DIR to a folder for them."
    warnings.warn(text, RuntimeWarning, stacklevel=1)
