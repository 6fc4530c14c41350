"""What a process writes outside of a folder, seen by an audit hook."""

import os
import sys
from typing import Any

_EVENTS = (
    "os.mkdir",
    "os.rename",
    "os.remove",
    "os.rmdir",
    "os.symlink",
    "os.link",
    "os.truncate",
    "shutil.rmtree",
)


class Watch:
    """Notes what this process opens to write, makes, moves or removes outside of a folder.

    Attributes:
        outside: what it did, and to which path.
        ended: whether it looks no more; a hook cannot be removed.
    """

    def __init__(self, folder: str | os.PathLike[str]):
        self.outside: list[str] = []
        self.ended = False
        self._folder = os.path.realpath(folder)
        sys.addaudithook(self._see)

    def _see(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, _, flags = arguments
            if not (flags or 0) & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
                return
        elif event in _EVENTS:
            path = arguments[1] if event in ("os.rename", "os.symlink", "os.link") else arguments[0]
        else:
            return
        if self.ended or isinstance(path, int) or path is None:
            return
        above = arguments[-1] if event != "open" and isinstance(arguments[-1], int) and arguments[-1] >= 0 else None
        path = os.fsdecode(path) if above is None else os.path.join(f"/proc/self/fd/{above}", os.fsdecode(path))
        # What a link points to is not touched by moving or removing the link.
        real = os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path))
        real = os.path.realpath(real) if event == "open" else real
        if not real.startswith(self._folder) and real != os.devnull and "__pycache__" not in real:
            self.outside.append(f"{event} {real[:200]}")
