"""Which files a command reads and writes when it is given files and folders."""

import collections
import os
import pathlib
from collections.abc import Sequence

from keras3dgan.errors import InputError


def plan(
    words: Sequence[str], output: str | None, readable: Sequence[str], suffix: str
) -> list[tuple[pathlib.Path, pathlib.Path]]:
    """Pairs of input and output files.

    A single file goes to `output` (default: beside itself); an `output` that is a folder, or has no suffix, takes the
    file's name. Of folders all readable files are taken, at any depth, and their tree is repeated below `output`. Files of
    one folder that differ only in their suffix keep it: `chair.obj` and `chair.stl` become `chair.obj.g3c` and `chair.stl.g3c`.

    Args:
        words: files and folders.
        output: `--output`.
        readable: suffixes of the files to take from folders.
        suffix: of the output files, with its dot.

    Raises:
        InputError: nothing to read, two inputs would be written to one output, or one over an input.
    """
    if not words:
        raise InputError("give at least one file or folder (see --help).")
    target = pathlib.Path(output).expanduser() if output else None
    pairs: list[tuple[pathlib.Path, pathlib.Path]] = []
    for word in words:
        if not word:
            raise InputError("an empty name is no file and no folder; '.' is the current folder.")
        if "://" in word:
            raise InputError(f"{word}: is an address; fetch the file first.")
        path = pathlib.Path(word).expanduser()
        if path.is_dir():
            found = readable_files(path, readable)
            if not found:
                raise InputError(f"{path}: holds no file that is read here ({', '.join(readable)}).")
            if target and target.suffix and not target.is_dir():
                raise InputError(f"{target} names a file, {path} is a folder; name a folder.", "output")
            pairs += [
                (file, (target or path) / name)
                for file, name in zip(
                    found, output_names([file.relative_to(path) for file in found], suffix), strict=True
                )
            ]
        elif target is None:
            pairs.append((path, path.with_suffix(suffix)))
        elif target.suffix and not target.is_dir():
            pairs.append((path, target))
        else:
            pairs.append((path, target / f"{path.stem}{suffix}"))
    if not any(os.path.lexists(source) for source, _ in pairs):
        raise InputError(f"{pairs[0][0]}: no such file.")
    _check(pairs)
    return pairs


def readable_files(folder: pathlib.Path, readable: Sequence[str]) -> list[pathlib.Path]:
    """All files of a folder with these suffixes, at any depth, in order. Links to folders are followed, each folder once; what
    macOS adds to archives, `._chair.obj` and `__MACOSX`, is no file of anybody's."""
    found, seen = [], set()
    for place, folders, names in os.walk(folder, followlinks=True):
        real = os.path.realpath(place)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(name for name in folders if name != "__MACOSX")
        found += [
            pathlib.Path(place, name)
            for name in names
            if os.path.splitext(name)[1].lower() in readable
            and not name.startswith("._")
            and os.path.isfile(os.path.join(place, name))
        ]
    return sorted(found)


def output_names(found: Sequence[pathlib.Path], suffix: str) -> list[pathlib.Path]:
    """Names of the outputs of files, relative to the output folder as theirs are to the input's."""
    short = [file.with_suffix(suffix) for file in found]
    uses = collections.Counter(short)
    return [
        name if uses[name] == 1 else name.with_name(file.name + suffix) for file, name in zip(found, short, strict=True)
    ]


def _check(pairs: Sequence[tuple[pathlib.Path, pathlib.Path]]) -> None:
    taken = {os.path.abspath(source): source for source, _ in pairs}
    for source, target in pairs:
        key = os.path.abspath(target)
        if key == os.path.abspath(source):
            raise InputError(f"{source}: is such a file already; choose another --output.")
        if key in taken:
            raise InputError(
                f"{taken[key]} and what becomes of {source} meet at {target}; choose another --output or other names."
            )
        taken[key] = source
