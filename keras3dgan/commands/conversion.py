"""What the commands that compress and restore files do, whichever codec they have."""

from __future__ import annotations

import functools
import os
import pathlib
from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar

import numpy as np
import tqdm

from keras3dgan.codec import archive, container
from keras3dgan.codec.archive import Archive
from keras3dgan.commands import files
from keras3dgan.errors import InputError
from keras3dgan.serving.transport import ServingError
from keras3dgan.voxels import io
from keras3dgan.voxels.grid import iou, packed_size

_BATCH = 32
_PICTURED = 16
# Stands for the archive in the names of what goes into it.
_IN_ARCHIVE = "archive"
Pair = tuple[pathlib.Path, pathlib.Path]
# What to call a stream, how to read it, and where its shape goes.
Source = tuple[str, Callable[[], bytes], pathlib.Path]
T = TypeVar("T")


class Codec(Protocol):
    """A `ShapeCodec`, or a `serving.Client`."""

    @property
    def resolution(self) -> int: ...

    @property
    def model(self) -> bytes: ...

    def encode(self, grids: np.ndarray) -> list[bytes]: ...

    def decode(self, streams: Sequence[bytes], names: Sequence[str] | None = None) -> np.ndarray: ...


def compress(
    load: Callable[[], Codec], words: Sequence[str], output: str | None, up: str, verify: bool = False
) -> None:
    """Turns shapes into `.g3c` files, or into one `.g3a` archive.

    Args:
        load: gives the codec, once it is clear that there is something to do.
        words: files and folders.
        output: `--output`.
        up: the axis that points up in the files.
        verify: whether to restore every shape again and say how good it is.

    Raises:
        InputError: nothing to read, or some files could not be read; the others have been written.
    """
    into = output if output and output.lower().endswith(".g3a") else None
    pairs = files.plan(words, _IN_ARCHIVE if into else output, io.READABLE, ".g3c")
    for _, target in pairs:
        if target.suffix != ".g3c":
            raise InputError(f"--output: {target} must end in .g3c or .g3a, or be a folder.")
    codec = load()
    scores: list[float] = []

    def convert(batch: Sequence[Pair], failed: list[str]) -> list[tuple[pathlib.Path, bytes]]:
        grids, targets, before = [], [], len(failed)
        for source, target in batch:
            try:
                grids.append(io.read_shape(source, codec.resolution, up))
                targets.append(target)
            except InputError as error:
                failed.append(str(error))
        if not grids:
            return []
        try:
            streams = codec.encode(np.stack(grids))
        except ServingError:
            raise  # no shape's fault
        except InputError as error:
            if len(batch) > 1:  # find out whose fault it is
                del failed[before:]
                return [pair for one in batch for pair in convert([one], failed)]
            failed.append(f"{batch[0][0]}: {error}")
            return []
        if verify:
            scores.extend(iou(np.stack(grids), codec.decode(streams)).tolist())
        return [*zip(targets, streams, strict=True)]

    done = _archive(into, codec.model, pairs, convert) if into else _Done("compress", pairs, convert, _write_stream)
    if done.written:
        mean = (os.path.getsize(into) if into else sum(done.written.values())) / len(done.written)
        where = f"{into}, {len(done.written)} shapes" if into else done.where()
        ratio = packed_size(codec.resolution) / mean
        size = f"{mean:.1f} bytes a shape, {ratio:.1f} times smaller than its {codec.resolution}^3 bits"
        print(f"{where}: {size}{_quality(scores)}")
    if done.failed:
        raise done.error()


def _write_stream(target: pathlib.Path, stream: bytes) -> int:
    container.write(target, stream)
    return len(stream)


def _archive(path: str, model: bytes, pairs: Sequence[Pair], convert: Callable[..., Any]) -> _Done:
    """Puts what `convert` gives into an archive; there is none where nothing could be converted."""
    with archive.create(path, model) as writer:

        def store(target: pathlib.Path, stream: bytes) -> int:
            writer.add(target.relative_to(_IN_ARCHIVE).with_suffix("").as_posix(), stream)
            return len(stream)

        done = _Done("compress", pairs, convert, store)
        if not done.written:
            raise done.error()
    return done


def _quality(scores: Sequence[float]) -> str:
    if not scores:
        return ""
    if min(scores) == 1:
        return "; every voxel exact"
    least = f", the least {min(scores):.3f}" if len(scores) > 1 else ""
    return f"; IoU {sum(scores) / len(scores):.3f}{least}"


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

    def convert(batch: Sequence[Source], failed: list[str]) -> list[tuple[pathlib.Path, np.ndarray]]:
        try:
            occupancy = codec.decode([read() for _, read, _ in batch], [name for name, _, _ in batch])
        except ServingError:
            raise  # no stream's fault
        except InputError as error:
            if len(batch) > 1:  # find out whose fault it is
                return [pair for source in batch for pair in convert([source], failed)]
            failed.append(str(error))
            return []
        return [(target, shape) for (_, _, target), shape in zip(batch, occupancy, strict=True)]

    def store(target: pathlib.Path, shape: np.ndarray) -> int:
        io.write_shape(target, shape)
        return os.path.getsize(target)

    done = _Done("decompress", sources, convert, store)
    if done.written:
        print(done.where())
    if done.failed:
        raise done.error()


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


class _Done:
    """What came of converting items, batch after batch.

    Args:
        name: of the command, for its progress bar.
        items: what to convert.
        convert: a batch of items and a list for sentences on what failed -> where each goes, and what.
        store: writes one, gives its bytes.

    Attributes:
        written: bytes of each file that was written.
        failed: a sentence for each item that was not.
    """

    def __init__(
        self,
        name: str,
        items: Sequence[T],
        convert: Callable[[Sequence[T], list[str]], list[tuple[pathlib.Path, Any]]],
        store: Callable[[pathlib.Path, Any], int],
    ):
        self.failed: list[str] = []
        self.written: dict[pathlib.Path, int] = {}
        self._count = len(items)
        for start in tqdm.tqdm(range(0, len(items), _BATCH), disable=len(items) <= _BATCH, desc=name):
            for target, content in convert(items[start : start + _BATCH], self.failed):
                try:
                    self.written[target] = store(target, content)
                except InputError as error:
                    self.failed.append(str(error))

    def where(self) -> str:
        """What was written, in a few words."""
        first = next(iter(self.written))
        return f"{first}" if self._count == 1 else f"{len(self.written)} files, first {first}"

    def error(self) -> InputError:
        """What was not."""
        if self._count == 1:
            return InputError(self.failed[0])
        return InputError(f"{len(self.failed)} of {self._count} failed:\n  " + "\n  ".join(self.failed))
