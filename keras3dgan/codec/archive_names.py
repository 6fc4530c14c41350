"""Names of the shapes of an archive: which may be written into one, and which files those of anybody's archive become.

A name is a path with slashes, without a suffix of its own. An archive may come from anybody: it may hold control
characters, lead elsewhere, be longer than a file system takes, or stand there twice. No shape is lost for it.
"""

from __future__ import annotations

import collections
import itertools
import pathlib
import zlib
from collections.abc import Sequence

from keras3dgan.errors import InputError, moves_the_terminal, printable

MOST_BYTES = 1024
# What file systems take between two slashes; and what names are cut to, since a temporary file's name is longer than the last.
_MOST_PART_BYTES, _CUT_BYTES = 255, 200
_MOST_SHOWN = 80


def check(name: str) -> None:
    """Checks that a name can be written into an archive.

    Raises:
        InputError: no file system would take it as it is, or a terminal would do something at it.
    """
    why = _trouble(name)
    if why:
        raise InputError(f"'{shown(name)}': an archive takes no name that {why}; rename the file.")


def _trouble(name: str) -> str | None:
    parts = name.split("/")
    if any(map(moves_the_terminal, name)):
        return "holds a line break or another control character, or is no UTF-8"
    if any(part in ("", ".", "..") for part in parts):
        return "is no path below a folder"
    if len(name.encode()) > MOST_BYTES or any(len(part.encode()) > _MOST_PART_BYTES for part in parts):
        return f"is longer than {MOST_BYTES} bytes, or than {_MOST_PART_BYTES} between slashes"
    return None


def shown(name: str) -> str:
    """A name for a message: control characters escaped, and cut where it is long."""
    cut = name if len(name) <= _MOST_SHOWN else f"{name[:_MOST_SHOWN]}..."
    return printable(cut)


def files(names: Sequence[str], suffix: str) -> list[pathlib.PurePosixPath]:
    """Where the shapes of an archive go, below a folder: a file for each name, all different, none above the folder.

    A name that `check` takes becomes itself with the suffix in place of its own, or behind it where two would be one file.
    Others become names much like them, those that have nothing left, their number; very long ones are cut.

    Args:
        names: any.
        suffix: of the files, with its dot.
    """
    paths = [_path(name, row) for row, name in enumerate(names)]
    short = [path.with_suffix(suffix) for path in paths]
    uses = collections.Counter(short)
    wanted = [
        one if uses[one] == 1 else path.with_name(path.name + suffix) for path, one in zip(paths, short, strict=True)
    ]
    taken = {parent for path in wanted for parent in path.parents}
    found: dict[int, pathlib.PurePosixPath] = {}
    next_number: dict[pathlib.PurePosixPath, int] = {}
    # Names that are in order keep theirs, whatever others try to be.
    in_order = [row for row, name in enumerate(names) if _trouble(name) is None]
    for row in itertools.chain(in_order, sorted(set(range(len(names))) - set(in_order))):
        path = wanted[row]
        while path in taken:
            number = next_number[wanted[row]] = next_number.get(wanted[row], 1) + 1
            path = wanted[row].with_name(f"{wanted[row].stem}-{number}{suffix}")
        taken.add(path)
        found[row] = path
    return [found[row] for row in range(len(names))]


def _path(name: str, row: int) -> pathlib.PurePosixPath:
    parts = ["".join("_" if moves_the_terminal(c) else c for c in part) for part in name.split("/")]
    path = "/".join(_short(part) for part in parts if part not in ("", ".", ".."))
    return pathlib.PurePosixPath(path if 0 < len(path.encode()) <= MOST_BYTES else f"{row:06d}")


def _short(part: str) -> str:
    """A part of a path, cut to what file systems take; two that begin alike stay different."""
    content = part.encode()
    if len(content) <= _CUT_BYTES:
        return part
    return f"{content[: _CUT_BYTES - 9].decode('utf-8', 'ignore')}-{zlib.crc32(content):08x}"


def check_inside(path: pathlib.Path, folder: pathlib.Path) -> None:
    """Checks that what is written to a path below a folder lands there: no folder between the two is a link.

    Raises:
        InputError: one is, or the path does not lie below the folder.
    """
    if folder not in path.parents or ".." in path.parts[len(folder.parts) :]:
        raise InputError(f"{shown(str(path))}: does not lie below {folder}; choose another name.")
    for parent in path.parents:
        if parent == folder:
            return
        if parent.is_symlink():
            raise InputError(f"{shown(str(parent))}: is a link, which leads out of {folder}; remove it.")
