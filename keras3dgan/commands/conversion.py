"""What the commands that compress and restore files do, whichever codec they have."""

from __future__ import annotations

import functools
import pathlib
from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

import numpy as np
import tqdm

from keras3dgan.codec import container
from keras3dgan.codec.archive import Archive
from keras3dgan.commands import files
from keras3dgan.errors import InputError
from keras3dgan.serving.transport import ServingError
from keras3dgan.voxels import io
from keras3dgan.voxels.grid import packed_size

_BATCH = 32
_PICTURED = 16
Pair = tuple[pathlib.Path, pathlib.Path]
# What to call a stream, how to read it, and where its shape goes.
Source = tuple[str, Callable[[], bytes], pathlib.Path]
T = TypeVar("T")


class Codec(Protocol):
    """A `ShapeCodec`, or a `serving.Client`."""

    @property
    def resolution(self) -> int: ...

    def encode(self, grids: np.ndarray) -> list[bytes]: ...

    def decode(self, streams: Sequence[bytes], names: Sequence[str] | None = None) -> np.ndarray: ...


def compress(load: Callable[[], Codec], words: Sequence[str], output: str | None, up: str) -> None:
    """Turns shapes into `.g3c` files.

    Args:
        load: gives the codec, once it is clear that there is something to do.
        words: files and folders.
        output: `--output`.
        up: the axis that points up in the files.

    Raises:
        InputError: nothing to read, or some files could not be read; the others have been written.
    """
    pairs = files.plan(words, output, io.READABLE, ".g3c")
    for _, target in pairs:
        if target.suffix != ".g3c":
            raise InputError(f"--output: {target} must end in .g3c, or be a folder.")
    codec = load()
    sizes: list[int] = []

    def convert(batch: Sequence[Pair], failed: list[str]) -> list[pathlib.Path]:
        grids, targets = [], []
        for source, target in batch:
            try:
                grids.append(io.read_shape(source, codec.resolution, up))
                targets.append(target)
            except InputError as error:
                failed.append(str(error))
        for target, content in zip(targets, codec.encode(np.stack(grids)) if grids else [], strict=True):
            container.write(target, content)
            sizes.append(len(content))
        return targets

    def outcome() -> str:
        mean = sum(sizes) / len(sizes)
        ratio = packed_size(codec.resolution) / mean
        return f": {mean:.0f} bytes a shape, {ratio:.1f} times smaller than its {codec.resolution}^3 bits"

    _run(pairs, convert, "compress", outcome)


def decompress(load: Callable[[], Codec], words: Sequence[str], output: str | None, form: str, overwrite: bool) -> None:
    """Turns `.g3c` files, and all that is in `.g3a` archives, into shapes.

    Args:
        load: gives the codec, once it is clear that there is something to do.
        words: files and folders.
        output: `--output`.
        form: suffix of files whose name is not given, without its dot.
        overwrite: whether to replace files that lie beside the input.

    Raises:
        InputError: nothing to read, or some files could not be restored; the others have been written.
    """
    suffix = f".{form}"
    if suffix not in io.WRITABLE:
        raise InputError(f"--format: '{form}' is not written; use one of {', '.join(io.WRITABLE)}.")
    archives = [word for word in words if word.lower().endswith(".g3a")]
    singles = [word for word in words if word not in archives]
    sources = _in_archives(archives, output, suffix)
    if singles or not archives:
        plan = files.plan(singles, output, (".g3c",), suffix)
        sources += [(str(path), functools.partial(container.read, path), target) for path, target in plan]
    seen: dict[pathlib.Path, str] = {}
    for name, _, target in sources:
        if seen.setdefault(target, name) != name:
            raise InputError(f"{seen[target]} and {name} would both be written to {target}; restore them one by one.")
        if target.suffix.lower() not in io.WRITABLE:
            raise InputError(f"{target}: this kind is not written; use one of {', '.join(io.WRITABLE)}.")
        # Beside chair.g3c may lie the chair.glb that it was made from.
        if target.exists() and not output and not overwrite:
            raise InputError(f"{target}: is there already; name another --output, or give --overwrite.")
    codec = load()

    def convert(batch: Sequence[Source], failed: list[str]) -> list[pathlib.Path]:
        try:
            occupancy = codec.decode([read() for _, read, _ in batch], [name for name, _, _ in batch])
        except ServingError:
            raise  # no stream's fault
        except InputError as error:
            if len(batch) > 1:  # find out whose fault it is
                return [target for source in batch for target in convert([source], failed)]
            failed.append(str(error))
            return []
        written = []
        for (_, _, target), shape in zip(batch, occupancy, strict=True):
            try:
                io.write_shape(target, shape)
                written.append(target)
            except InputError as error:
                failed.append(str(error))
        return written

    _run(sources, convert, "decompress", lambda: "")


def _in_archives(words: Sequence[str], output: str | None, suffix: str) -> list[Source]:
    """All shapes of archives; those of `a.g3a` go to `<output>`, or to the folder `a` beside it."""
    sources: list[Source] = []
    for word in words:
        found = Archive(word)
        folder = pathlib.Path(output) if output else pathlib.Path(word).with_suffix("")
        targets = files.output_names([pathlib.Path(name) for name in found.names], suffix)
        for row, (name, target) in enumerate(zip(found.names, targets, strict=True)):
            if target.is_absolute() or ".." in target.parts:
                raise InputError(f"{word}: the name '{name}' leads out of the folder; it is not written.")
            sources.append((f"{word}, {name}", functools.partial(found.stream, row), folder / target))
    return sources


def write_generated(occupancy: np.ndarray, folder: pathlib.Path, form: str) -> None:
    """Writes shapes (count, n, n, n) in [0, 1] and a picture of them into a folder; says where.

    Raises:
        InputError: the format is unknown.
    """
    from keras3dgan.report import figures

    if f".{form}" not in io.WRITABLE:
        raise InputError(f"--format: '{form}' is unknown; choose among {', '.join(io.WRITABLE)}.")
    empty = 0
    for index, shape in enumerate(occupancy):
        if shape.max() > 0.5:
            io.write_shape(folder / f"shape-{index:04d}.{form}", shape)
        else:
            empty += 1
    shown = occupancy[:_PICTURED]
    figures.save(figures.shapes([shown[i : i + 8] for i in range(0, len(shown), 8)]), folder / "shapes.png")
    left_out = f" ({empty} empty ones left out)" if empty else ""
    print(f"{folder}: {len(occupancy) - empty} shapes{left_out}; see {folder / 'shapes.png'}")


def _run(
    items: Sequence[T],
    convert: Callable[[Sequence[T], list[str]], list[pathlib.Path]],
    name: str,
    outcome: Callable[[], str],
) -> None:
    """Converts batch after batch, says what was written, and then what was not."""
    failed: list[str] = []
    written: list[pathlib.Path] = []
    for start in tqdm.tqdm(range(0, len(items), _BATCH), disable=len(items) <= _BATCH, desc=name):
        written += convert(items[start : start + _BATCH], failed)
    if written:
        where = f"{written[0]}" if len(items) == 1 else f"{len(written)} files, first {written[0]}"
        print(f"{where}{outcome()}")
    if failed:
        raise InputError(
            f"{len(failed)} of {len(items)} failed:\n  " + "\n  ".join(failed) if len(items) > 1 else failed[0]
        )
