"""What the commands that compress and restore files do, whichever codec they have."""

from __future__ import annotations

import math
import os
import pathlib
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeVar

import numpy as np
import tqdm

from keras3dgan.codec import archive, container
from keras3dgan.codec.archive import Archive
from keras3dgan.codec.goals import GoalError, Point
from keras3dgan.codec.shape_codec import ShapeCodec
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
T = TypeVar("T")


def compress(
    load: Callable[[], ShapeCodec], words: Sequence[str], output: str | None, up: str, verify: bool = False
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

    def choose(batch: Sequence[Pair], failed: list[str]) -> list[tuple[pathlib.Path, Point]]:
        read: list[tuple[Pair, np.ndarray]] = []
        for pair in batch:
            try:
                read.append((pair, io.read_shape(pair[0], codec.resolution, up)))
            except InputError as error:
                failed.append(str(error))
        if not read:
            return []
        grids = np.stack([grid for _, grid in read])
        rows, chosen = [], []
        for row, point in enumerate(codec.choose_each(grids, archived=bool(into))):
            if isinstance(point, GoalError):
                failed.append(f"{read[row][0][0]}: {point}")
            else:
                rows.append(row)
                chosen.append(point)
        if verify:
            scores.extend(_scores(codec, grids[rows], chosen))
        return [(read[row][0][1], point) for row, point in zip(rows, chosen, strict=True)]

    def convert(batch: Sequence[Pair], failed: list[str]) -> list[tuple[pathlib.Path, bytes]]:
        found = choose(batch, failed)
        return [*zip([t for t, _ in found], codec.streams([point for _, point in found]), strict=True)]

    done = _Done("compress", pairs)
    if into:
        _archive(into, codec, done, choose)
    else:
        done.run(pairs, convert, _write_stream)
    if done.written:
        mean = (os.path.getsize(into) if into else sum(done.written.values())) / len(done.written)
        where = f"{into}, {len(done.written)} shapes" if into else done.where()
        ratio = packed_size(codec.resolution) / mean
        size = f"{mean:.1f} bytes a shape, {ratio:.1f} times smaller than its {codec.resolution}^3 bits"
        print(f"{where}: {size}{_quality(scores)}")
    if done.failed:
        raise done.error()


def _scores(codec: ShapeCodec, grids: np.ndarray, points: Sequence[Point]) -> list[float]:
    """IoU of what will be restored with grids (count, n, n, n); asked of the codec where it has not said so."""
    scores = [point.iou for point in points]
    if any(math.isnan(score) for score in scores):
        return iou(grids, codec.decode(codec.streams(points))).tolist()
    return scores


def _write_stream(target: pathlib.Path, stream: bytes) -> int:
    container.write(target, stream)
    return len(stream)


def _archive(path: str, codec: ShapeCodec, done: _Done, choose: Callable[..., Any]) -> None:
    """Puts what `choose` gives into an archive; there is none where nothing could be read."""
    with archive.create(path, codec) as writer:

        def store(target: pathlib.Path, point: Point) -> int:
            writer.add(target.relative_to(_IN_ARCHIVE).with_suffix("").as_posix(), point)
            return 0  # what it takes is known when all are there

        done.run(done.items, choose, store)
        if not done.written:
            raise done.error()


def _quality(scores: Sequence[float]) -> str:
    if not scores:
        return ""
    if min(scores) == 1:
        return "; every voxel exact"
    least = f", the least {min(scores):.3f}" if len(scores) > 1 else ""
    return f"; IoU {sum(scores) / len(scores):.3f}{least}"


def decompress(
    load: Callable[[], ShapeCodec], words: Sequence[str], output: str | None, form: str, overwrite: bool
) -> None:
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
    archives = [Archive(word) for word in words if word.lower().endswith(".g3a")]
    singles = [word for word in words if not word.lower().endswith(".g3a")]
    stored = [part for found in archives for part in _parts(found, output, suffix)]
    plan = files.plan(singles, output, (".g3c",), suffix) if singles or not archives else []
    targets = [(str(path), target) for path, target in plan]
    targets += [(f"{part.archive.path}, {name}", target) for part in stored for name, target in part.targets]
    _check_targets(targets, output, overwrite)
    codec = load()

    def convert(batch: Sequence[Pair], failed: list[str]) -> list[tuple[pathlib.Path, np.ndarray]]:
        try:
            streams = [container.read(path) for path, _ in batch]
            occupancy = codec.decode(streams, [str(path) for path, _ in batch])
        except ServingError:
            raise  # no stream's fault
        except InputError as error:
            if len(batch) > 1:  # find out whose fault it is
                return [pair for one in batch for pair in convert([one], failed)]
            failed.append(str(error))
            return []
        return [(target, shape) for (_, target), shape in zip(batch, occupancy, strict=True)]

    def unpack(batch: Sequence[_Part], failed: list[str]) -> list[tuple[pathlib.Path, np.ndarray]]:
        [part] = batch
        try:
            occupancy = part.archive.read_block(part.block, codec)
        except ServingError:
            raise
        except InputError as error:
            failed.append(str(error))
            return []
        return [(target, shape) for (_, target), shape in zip(part.targets, occupancy, strict=True)]

    done = _Done("decompress", targets)
    done.run(plan, convert, _write_shape)
    done.run(stored, unpack, _write_shape, batch=1)
    done.report()


def convert_each(name: str, pairs: Sequence[Pair], make: Callable[[pathlib.Path], np.ndarray]) -> None:
    """Writes the shape that `make` gives for each source.

    Args:
        name: of the command, for its progress bar.
        pairs: sources, and where their shapes go.
        make: gives the occupancy (n, n, n) of a source.

    Raises:
        InputError: some sources could not be read; the others have been written.
    """

    def convert(batch: Sequence[Pair], failed: list[str]) -> list[tuple[pathlib.Path, np.ndarray]]:
        [(source, target)] = batch
        try:
            return [(target, make(source))]
        except InputError as error:
            failed.append(str(error))
            return []

    done = _Done(name, pairs)
    done.run(pairs, convert, _write_shape, batch=1)
    done.report()


def _write_shape(target: pathlib.Path, shape: np.ndarray) -> int:
    io.write_shape(target, shape)
    return os.path.getsize(target)


def _check_targets(targets: Sequence[tuple[str, pathlib.Path]], output: str | None, overwrite: bool) -> None:
    """Checks that shapes, each with what to call it, can go where they are to go."""
    seen: dict[pathlib.Path, str] = {}
    for name, target in targets:
        if seen.setdefault(target, name) != name:
            raise InputError(f"{seen[target]} and {name} would both be written to {target}; restore them one by one.")
        if target.suffix.lower() not in io.WRITABLE:
            raise InputError(f"{target}: this kind is not written; use one of {', '.join(io.WRITABLE)}.")
        # Beside chair.g3c may lie the chair.glb that it was made from.
        if target.exists() and not output and not overwrite:
            raise InputError(f"{target}: is there already; name another --output, or give --overwrite.")


class _Part(NamedTuple):
    """A block of an archive, and name and target of each of its shapes."""

    archive: Archive
    block: int
    targets: list[tuple[str, pathlib.Path]]


def _parts(found: Archive, output: str | None, suffix: str) -> list[_Part]:
    """All blocks of an archive; the shapes of `a.g3a` go to `<output>`, or to the folder `a` beside it."""
    folder = pathlib.Path(output) if output else pathlib.Path(found.path).with_suffix("")
    targets = files.output_names([pathlib.Path(name) for name in found.names], suffix)
    for name, target in zip(found.names, targets, strict=True):
        if target.is_absolute() or ".." in target.parts:
            raise InputError(f"{found.path}: the name '{name}' leads out of the folder; it is not written.")
    return [
        _Part(found, block, [(found.names[row], folder / targets[row]) for row in rows])
        for block, rows in enumerate(found.blocks)
    ]


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
        items: all that is to be converted.

    Attributes:
        written: bytes of each file that was written.
        failed: a sentence for each item that was not.
    """

    def __init__(self, name: str, items: Sequence[Any]):
        self.items = items
        self.failed: list[str] = []
        self.written: dict[pathlib.Path, int] = {}
        self._name = name

    def run(
        self,
        items: Sequence[T],
        convert: Callable[[Sequence[T], list[str]], list[tuple[pathlib.Path, Any]]],
        store: Callable[[pathlib.Path, Any], int],
        batch: int = _BATCH,
    ) -> None:
        """Converts items.

        Args:
            items: what to convert.
            convert: a batch of items and a list for sentences on what failed -> where each goes, and what.
            store: writes one, gives its bytes.
            batch: items a batch.
        """
        for start in tqdm.tqdm(range(0, len(items), batch), disable=len(items) <= _BATCH, desc=self._name):
            for target, content in convert(items[start : start + batch], self.failed):
                try:
                    self.written[target] = store(target, content)
                except InputError as error:
                    self.failed.append(str(error))

    def report(self) -> None:
        """Says what was written, and raises what was not."""
        if self.written:
            print(self.where())
        if self.failed:
            raise self.error()

    def where(self) -> str:
        """What was written, in a few words."""
        first = next(iter(self.written))
        return f"{first}" if len(self.items) == 1 else f"{len(self.written)} files, first {first}"

    def error(self) -> InputError:
        """What was not."""
        if len(self.items) == 1:
            return InputError(self.failed[0])
        return InputError(
            f"{len(self.items) - len(self.written)} of {len(self.items)} failed:\n  " + "\n  ".join(self.failed)
        )
