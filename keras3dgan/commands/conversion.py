"""From files to streams and back: pipelines of generators, read -> choose -> write."""

from __future__ import annotations

import math
import os
import pathlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from keras3dgan.codec import archive, archive_names, container
from keras3dgan.codec.archive import Archive, ArchiveWriter
from keras3dgan.codec.goals import GoalError
from keras3dgan.codec.origin import Origin
from keras3dgan.codec.shape_codec import ShapeCodec
from keras3dgan.codec.shipped import BEST
from keras3dgan.commands import file_plan
from keras3dgan.commands.items import Item, Tally, ahead, batches, on_all_cores, sound, written
from keras3dgan.errors import InputError, UnavailableError
from keras3dgan.voxels import io
from keras3dgan.voxels.grid import iou, packed_size
from keras3dgan.voxels.placement import Placement

# Stands for the archive in the names of what goes into it.
_IN_ARCHIVE = pathlib.Path("archive")


def read(
    items: Iterable[Item], resolution: int, reading: Mapping[str, Any], keep_placement: bool = True
) -> Iterator[Item]:
    """Gives each item its grid, `uint8` (n, n, n), and its origin, on all cores.

    Args:
        items: with their sources.
        resolution: n.
        reading: further arguments of `io.read_shape`.
        keep_placement: whether meshes are to come back where they lay, if that fits into eight bytes.
    """

    def read_one(item: Item) -> None:
        try:
            shape = io.read(item.source, resolution, **reading)
            item.content = shape.grid
            item.origin = _origin(shape, keep_placement)
            item.reduced_from = shape.stored if shape.stored and shape.stored > resolution else None
        except UnavailableError:
            raise
        except InputError as error:
            item.fail(error)

    return on_all_cores(read_one, items)


def _origin(shape: io.Shape, keep_placement: bool) -> Origin:
    place = shape.placement if keep_placement else None
    # Without one, a mesh fills the unit cube, as those do that were written so.
    kept = place is not None and place != Placement() and place.to_bytes() is not None
    return Origin(up=shape.up, placement=place if kept else None)


def choose(items: Iterable[Item], codec: ShapeCodec, archived: bool = False, verify: bool = False) -> Iterator[Item]:
    """Turns grids into the points by which the codec reaches its goal.

    Args:
        items: with their grids.
        codec: what codes them.
        archived: whether they go into an archive.
        verify: whether to find out how good what is restored will be.
    """
    for batch in batches(items):
        found = sound(batch)
        if found:
            grids = np.stack([item.content for item in found])
            points = codec.choose_each(grids, archived, [item.origin for item in found])
            for item, point in zip(found, points, strict=True):
                if isinstance(point, GoalError):
                    item.fail(point)
                    item.error = f"{item.name}: {item.error}"
                else:
                    item.content, item.iou, item.origin = point, point.iou, point.origin
            if verify:
                _verify(found, grids, codec)
        yield from batch


def _verify(items: Sequence[Item], grids: np.ndarray, codec: ShapeCodec) -> None:
    """Decodes what the codec has not said the IoU of."""
    rows = [row for row, item in enumerate(items) if item.error is None and math.isnan(item.iou)]
    if rows:
        restored = codec.decode(codec.streams([items[row].content for row in rows]))
        for row, score in zip(rows, iou(grids[rows], restored).tolist(), strict=True):
            items[row].iou = score


def write_streams(items: Iterable[Item], codec: ShapeCodec) -> Iterator[Item]:
    """Writes each chosen point as a `.g3c` file."""
    for batch in batches(items):
        found = sound(batch)
        for item, stream in zip(found, codec.streams([item.content for item in found]), strict=True):
            container.write(item.target, stream)
            written(item)
        yield from batch


def write_into(items: Iterable[Item], writer: ArchiveWriter) -> Iterator[Item]:
    """Appends each chosen point to an archive, under its target's name."""
    for item in items:
        if item.error is None:
            try:
                writer.add(item.target.as_posix(), item.content)
            except InputError as error:
                item.fail(error)
        yield item


def compress(
    load: Callable[[pathlib.Path], ShapeCodec],
    words: Sequence[str],
    output: str | None,
    reading: Mapping[str, Any],
    verify: bool = False,
    keep_placement: bool = True,
) -> None:
    """Turns shapes into `.g3c` files, or into one `.g3a` archive.

    Args:
        load: gives the codec, once it is clear that there is something to do, for shapes like that of the first file.
        words: files and folders.
        output: `--output`.
        reading: further arguments of `io.read_shape`.
        verify: whether to restore every shape again and say how good it is.
        keep_placement: as of `read`.

    Raises:
        InputError: nothing to read, or some files could not be read; the others have been written.
    """
    into = output if output and output.lower().endswith(".g3a") else None
    pairs = file_plan.plan(words, str(_IN_ARCHIVE) if into else output, io.READABLE, ".g3c")
    for _, target in pairs:
        if target.suffix != ".g3c":
            raise InputError(f"{target} must end in .g3c or .g3a, or be a folder.", "output")
    io.start([source for source, _ in pairs])
    codec = load(pairs[0][0])
    items = [Item(str(source), source, target) for source, target in pairs]
    chosen = ahead(choose(read(items, codec.resolution, reading, keep_placement), codec, bool(into), verify))
    tally = Tally("compress", len(items))
    shape_bytes = 0
    if into:
        for item in items:
            item.target = item.target.relative_to(_IN_ARCHIVE).with_suffix("")
        with archive.create(into, codec) as writer:
            tally.run(write_into(chosen, writer))
            if not tally.written:
                raise tally.error()  # inside: no archive is left where nothing could be read
        shape_bytes = writer.shape_bytes
    else:
        tally.run(write_streams(chosen, codec))
    tally.finish(_size_line(tally, codec, into, shape_bytes, verify))


def _size_line(tally: Tally, codec: ShapeCodec, into: str | None, shape_bytes: int, verify: bool) -> str | None:
    if not tally.written:
        return None
    count = len(tally.written)
    mean = (os.path.getsize(into) if into else sum(item.size for item in tally.written)) / count
    where = f"{into}, {count} shapes" if into else tally.where()
    ratio = packed_size(codec.resolution) / mean
    alone = f" ({shape_bytes / count:.1f} without the archive's header, index and names)" if into else ""
    than = f"{ratio:.1f} times smaller" if ratio >= 1 else f"{1 / ratio:.1f} times larger"
    size = f"{mean:.1f} bytes a shape{alone}, {than} than its {codec.resolution}^3 bits"
    quality = _quality([item.iou for item in tally.written]) if verify else ""
    return f"{where}: {size}{_placed(tally.written)}{quality}{_reduced(tally.written, codec.resolution)}"


def _placed(items: Sequence[Item]) -> str:
    """What it takes that meshes come back where they lay."""
    mean = sum(len(item.origin.place) for item in items) / len(items)
    return f", {mean:.1f} of them position and scale" if mean else ""


def _reduced(items: Sequence[Item], resolution: int) -> str:
    """What was lost before anything was coded: voxels of finer grids."""
    finer = [item.reduced_from for item in items if item.reduced_from]
    if not finer:
        return ""
    which = (
        f"its {finer[0]}^3 voxels" if len(items) == 1 else f"voxels of {len(finer)} finer grids, up to {max(finer)}^3,"
    )
    return f" of {resolution}^3, to which {which} were reduced; {_keeping(max(finer))} keeps them"


def _keeping(resolution: int) -> str:
    """What codes grids of a resolution as they are."""
    return f"--model={BEST[resolution]}" if resolution in BEST else "a model of that resolution"


def _quality(scores: Sequence[float]) -> str:
    if min(scores) == 1:
        return "; every voxel exact"
    least = f", the least {min(scores):.3f}" if len(scores) > 1 else ""
    return f"; IoU {sum(scores) / len(scores):.3f}{least}"


def restore(items: Iterable[Item], codec_of: Callable[[bytes], ShapeCodec]) -> Iterator[Item]:
    """Gives each item the occupancy (n, n, n) in [0, 1] of its `.g3c` file.

    Args:
        items: with their sources.
        codec_of: the codec of a fingerprint.
    """
    for batch in batches(items):
        for item in batch:
            try:
                item.content = container.read(item.source)
            except InputError as error:
                item.fail(error)
        groups: dict[bytes, list[Item]] = {}
        for item in sound(batch):
            groups.setdefault(container.fingerprint(item.content), []).append(item)
        for written_by, group in groups.items():
            _decode(group, codec_of(written_by))
        yield from batch


def _decode(items: Sequence[Item], codec: ShapeCodec) -> None:
    try:
        restored = codec.decode([item.content for item in items], [item.name for item in items])
    except UnavailableError:
        raise
    except InputError as error:
        if len(items) == 1:
            items[0].fail(error)
        else:  # find out whose fault it is
            for item in items:
                _decode([item], codec)
        return
    for item, occupancy in zip(items, restored, strict=True):
        item.content, item.origin = occupancy, container.origin(item.content)


def restore_archive(found: Archive, items: Sequence[Item], codec_of: Callable[[bytes], ShapeCodec]) -> Iterator[Item]:
    """As `restore`, of the shapes of an archive, block by block; `items` has one for each, in their order."""
    codec = codec_of(found.fingerprint)
    for index, rows in enumerate(found.blocks):
        block = [items[row] for row in rows]
        try:
            for item, row, occupancy in zip(block, rows, found.read_block(index, codec), strict=True):
                item.content, item.origin = occupancy, found.origin(row)
        except UnavailableError:
            raise
        except InputError as error:
            for item in block:
                item.fail(error)
        yield from block


def write_shapes(items: Iterable[Item]) -> Iterator[Item]:
    """Writes occupancies as meshes or grids, as their targets' suffixes say."""
    for item in items:
        if item.error is None:
            try:
                io.write_shape(item.target, item.content, placement=item.origin.placement, up=item.origin.up)
                written(item)
            except InputError as error:
                item.fail(error)
        yield item


def decompress(
    codec_of: Callable[[bytes], ShapeCodec], words: Sequence[str], output: str | None, form: str, overwrite: bool
) -> None:
    """Turns `.g3c` files, and all that is in `.g3a` archives, into shapes.

    Args:
        codec_of: the codec of a fingerprint; asked once it is clear that there is something to do.
        words: files and folders.
        output: `--output`.
        form: suffix of files whose name is not given, without its dot.
        overwrite: whether to replace files that lie beside the input.

    Raises:
        InputError: nothing to read, or some files could not be restored; the others have been written.
    """
    suffix = io.check_writable(f".{form}")
    archives = [Archive(word) for word in words if word.lower().endswith(".g3a")]
    singles = [word for word in words if not word.lower().endswith(".g3a")]
    plan = file_plan.plan(singles, output, (".g3c",), suffix) if singles or not archives else []
    if output and pathlib.Path(output).suffix and archives and not pathlib.Path(output).is_dir():
        raise InputError(f"{output} names a file, an archive holds many; name a folder.", "output")
    items = [Item(str(source), source, target) for source, target in plan]
    stored = [(found, _items_of(found, output, suffix)) for found in archives]
    everything = [*items, *(item for _, inside in stored for item in inside)]
    check_targets(everything, output, overwrite)
    tally = Tally("decompress", len(everything))
    tally.run(write_shapes(restore(items, codec_of)))
    for found, inside in stored:
        tally.run(write_shapes(restore_archive(found, inside, codec_of)))
    tally.finish()


def _items_of(found: Archive, output: str | None, suffix: str) -> list[Item]:
    """The shapes of an archive; those of `a.g3a` go to `<output>`, or to the folder `a` beside it."""
    folder = pathlib.Path(output) if output else pathlib.Path(found.path).with_suffix("")
    targets = [folder / target for target in archive_names.files(found.names, suffix)]
    for target in targets:
        archive_names.check_inside(target, folder)
    source = pathlib.Path(found.path)
    return [
        Item(f"{found.path}, {archive_names.shown(name)}", source, target)
        for name, target in zip(found.names, targets, strict=True)
    ]


def check_targets(items: Sequence[Item], output: str | None, overwrite: bool) -> None:
    """Checks that shapes can go where they are to go.

    Raises:
        InputError: two of them would be one file, its format cannot be written, or it is there and may not be replaced.
    """
    seen: dict[pathlib.Path, str] = {}
    for item in items:
        if seen.setdefault(item.target, item.name) != item.name:
            raise InputError(
                f"{seen[item.target]} and {item.name} would both be written to {item.target}; take them one by one."
            )
        io.check_writable(item.target.suffix, item.target)
        # Beside chair.g3c may lie the chair.glb that it was made from.
        if item.target.exists() and not output and not overwrite:
            raise InputError(f"{item.target}: is there already; name another --output, or give --overwrite.")
