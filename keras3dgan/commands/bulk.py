"""Compression of collections too large for one machine's memory, as an Apache Beam pipeline."""

from __future__ import annotations

import dataclasses
import pathlib
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

import apache_beam as beam
from apache_beam.utils.shared import Shared

from keras3dgan.codec import archive
from keras3dgan.codec.goals import Goal
from keras3dgan.commands import conversion
from keras3dgan.commands.file_plan import readable_files
from keras3dgan.commands.items import Item
from keras3dgan.errors import InputError
from keras3dgan.files import replacing
from keras3dgan.recipes import load_codec
from keras3dgan.voxels import io

BAD = "bad"
# Lines of the list of bad inputs: name, tab, why.
_BAD_SUFFIX = ".bad.tsv"


@dataclasses.dataclass(frozen=True)
class Shard:
    """A part of the collection that becomes one archive.

    Attributes:
        target: the archive.
        files: paths, relative to `folder`, of files to read; none where the shapes come from a data set.
        folder: where they lie.
        dataset: a TFDS name with its config, and the slice of its split, as `train[0:1000]`.
    """

    target: str
    files: tuple[str, ...] = ()
    folder: str = ""
    dataset: tuple[str, str] | None = None
    data_dir: str | None = None


def shards_of_files(folder: pathlib.Path, output: pathlib.Path, size: int) -> list[Shard]:
    """Shards of all readable files of a folder, at any depth, in the order of their names.

    Raises:
        InputError: there are none.
    """
    names = [str(path.relative_to(folder)) for path in readable_files(folder, io.READABLE)]
    if not names:
        raise InputError(f"{folder}: holds no file that is read here ({', '.join(io.READABLE)}).")
    starts = range(0, len(names), size)
    targets = _targets(output, len(starts))
    return [Shard(t, tuple(names[s : s + size]), str(folder)) for t, s in zip(targets, starts, strict=True)]


def shards_of_dataset(
    name: str, split: str, resolution: int, output: pathlib.Path, size: int, data_dir: str | None
) -> list[Shard]:
    """Shards of a split of a TFDS data set, which is prepared where that has not been done.

    Raises:
        InputError: no such data set or split, or its source is missing, or it has another resolution.
    """
    from keras3dgan.datasets.builders import prepare

    splits = prepare(name, resolution, data_dir).info.splits
    if split not in splits:
        raise InputError(f"{name} has no split '{split}'; choose one of {', '.join(splits)}.", "split")
    count = splits[split].num_examples
    starts = range(0, count, size)
    return [
        Shard(target, dataset=(name, f"{split}[{start}:{min(start + size, count)}]"), data_dir=data_dir)
        for target, start in zip(_targets(output, len(starts)), starts, strict=True)
    ]


def _targets(output: pathlib.Path, count: int) -> list[str]:
    return [str(output / f"shapes-{index:05d}-of-{count:05d}.g3a") for index in range(count)]


class Compress(beam.DoFn):
    """Turns a shard into an archive, unless that is there already.

    Yields the archive's path, number of shapes and bytes, and at the output `bad` (name, why) for each input that could not be
    read. Bad inputs are also listed in a file beside the archive, so that a shard done earlier gives the same as one done now.

    Args:
        model: as `recipes.load_codec` takes it; a run must lie on storage that all workers see.
        reading: further arguments of `io.read_shape`.
        goal: what streams are to reach.
        keep_placement: as of `conversion.read`.
    """

    def __init__(
        self,
        model: str,
        reading: Mapping[str, Any] = MappingProxyType({}),
        goal: Goal = Goal(),
        keep_placement: bool = True,
    ):
        self._model = model
        self._keep_placement = keep_placement
        self._goal = goal
        self._reading = dict(reading)
        self._shared = Shared()
        self._done = beam.metrics.Metrics.counter("keras3dgan", "shards_done_before")
        self._good = beam.metrics.Metrics.counter("keras3dgan", "shapes")
        self._bad = beam.metrics.Metrics.counter("keras3dgan", "bad_inputs")

    def setup(self) -> None:
        # Once a process, however many threads it has.
        self._codec = self._shared.acquire(lambda: load_codec(self._model, self._goal), tag=(self._model, self._goal))

    def process(self, shard: Shard) -> Iterator[Any]:
        target = pathlib.Path(shard.target)
        listed = target.with_name(target.stem + _BAD_SUFFIX)
        if target.exists():
            self._done.inc()
        else:
            self._write(shard, target, listed)
        count = len(archive.Archive(target))
        self._good.inc(count)
        for line in listed.read_text().splitlines():
            name, _, why = line.partition("\t")
            self._bad.inc()
            yield beam.pvalue.TaggedOutput(BAD, (name, why))
        yield str(target), count, target.stat().st_size

    def _write(self, shard: Shard, target: pathlib.Path, listed: pathlib.Path) -> None:
        """Writes the archive, batch after batch, and the list of bad inputs."""
        with archive.create(target, self._codec) as writer:
            shapes = _shapes(shard, self._codec.resolution, self._reading, self._keep_placement)
            done = conversion.write_into(conversion.choose(shapes, self._codec, archived=True), writer)
            bad = [(item.name, " ".join(item.error.split())) for item in done if item.error]
            # Inside, so that the list comes first: an archive that is there says that its shard is done.
            with replacing(listed) as temporary:
                temporary.write_text("".join(f"{name}\t{why}\n" for name, why in bad))


def _shapes(shard: Shard, resolution: int, reading: Mapping[str, Any], keep_placement: bool) -> Iterator[Item]:
    """The shapes of a shard with their grids."""
    if shard.dataset:
        from keras3dgan.datasets.builders import read_slice

        for name, grid in read_slice(*shard.dataset, resolution, shard.data_dir):
            yield Item(name, pathlib.Path(name), pathlib.Path(name), grid)
    folder = pathlib.Path(shard.folder)
    items = [Item(name, folder / name, pathlib.Path(name)) for name in shard.files]
    yield from conversion.read(items, resolution, reading, keep_placement)


def check_done(shards: list[Shard], output: pathlib.Path, fingerprint: bytes) -> None:
    """Checks that the archives that are there already belong to these shards and the model of this fingerprint.

    Raises:
        InputError: they do not, or one is damaged.
    """
    targets = {shard.target for shard in shards}
    for path in sorted(output.glob("shapes-*.g3a")):
        if str(path) not in targets:
            raise InputError(f"{path} is of a collection of another size; choose another folder.", "output")
    for shard in shards:
        path = pathlib.Path(shard.target)
        if path.exists():
            found = archive.Archive(path)
            if found.fingerprint != fingerprint[: len(found.fingerprint)]:
                raise InputError(f"{path} was written by another model; choose another folder.", "output")
            if shard.files and not set(found.names) <= set(shard.files):
                raise InputError(f"{path} holds other shapes than these; choose another folder.", "output")


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What a run of the pipeline did, earlier runs of the same output included.

    Attributes:
        shapes: compressed.
        bad: inputs that could not be read.
        shards_done_before: shards that were there already.
        bytes: of all archives.
    """

    shapes: int
    bad: int
    shards_done_before: int
    bytes: int


def run(
    shards: list[Shard],
    model: str,
    output: pathlib.Path,
    reading: Mapping[str, Any] = MappingProxyType({}),
    options: Any = None,
    goal: Goal = Goal(),
    keep_placement: bool = True,
) -> Outcome:
    """Compresses shards, those that are not there yet.

    Args:
        shards: of `shards_of_files` or `shards_of_dataset`.
        model: as `recipes.load_codec` takes it.
        output: folder of the archives; gets `bad_inputs.tsv` too.
        reading: further arguments of `io.read_shape`.
        options: Beam's `PipelineOptions`; default: the local runner.
        goal: what streams are to reach.
        keep_placement: as of `conversion.read`.
    """
    output.mkdir(parents=True, exist_ok=True)
    pipeline = beam.Pipeline(options=options)
    done = (
        pipeline
        | "shards" >> beam.Create(shards)
        | "one at a time" >> beam.Reshuffle()
        | "compress" >> beam.ParDo(Compress(model, reading, goal, keep_placement)).with_outputs(BAD, main="archives")
    )
    _ = (
        done[BAD]
        | "lines" >> beam.MapTuple(lambda name, why: f"{name}\t{why}")
        | "list" >> beam.io.WriteToText(str(output / "bad_inputs"), ".tsv", num_shards=1, shard_name_template="")
    )
    result = pipeline.run()
    result.wait_until_finish()
    found = {
        c.key.metric.name: c.committed
        for c in result.metrics().query()["counters"]
        if c.key.metric.namespace == "keras3dgan"
    }
    return Outcome(
        found.get("shapes", 0),
        found.get("bad_inputs", 0),
        found.get("shards_done_before", 0),
        sum(pathlib.Path(shard.target).stat().st_size for shard in shards),
    )
