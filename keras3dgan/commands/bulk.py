"""Compression of collections too large for one machine's memory, as an Apache Beam pipeline."""

from __future__ import annotations

import contextlib
import dataclasses
import pathlib
import signal
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions, StandardOptions
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from apache_beam.utils.shared import Shared

from keras3dgan.codec import archive
from keras3dgan.codec.goals import Goal
from keras3dgan.codec.shape_codec import ShapeCodec
from keras3dgan.commands import conversion, shards
from keras3dgan.commands.items import Item
from keras3dgan.commands.shards import Input, Manifest, Shard
from keras3dgan.errors import InputError, LostHostError
from keras3dgan.files import locked, replacing
from keras3dgan.recipes import load_codec

# Lines of the list of bad inputs: name, tab, why.
BAD_INPUTS = "bad_inputs.tsv"
# Sentences on archives that could not be written.
_FAILED = "failed"
# The signal that wakes the main thread when a worker was lost.
_LOST = signal.SIGUSR2


@dataclasses.dataclass(frozen=True)
class Collection:
    """What is to be compressed.

    Attributes:
        source: folder of the files, or name and version of a TFDS data set.
        inputs: files, or slices of the data set's split.
        dataset: a TFDS name with its config and the folder of prepared data sets; none where the inputs are files.
        keep_placement: as of `conversion.read`.
    """

    source: str
    inputs: Sequence[Input]
    dataset: tuple[str, str | None] | None = None
    keep_placement: bool = True

    def shapes(self, inputs: Sequence[Input], resolution: int, reading: Mapping[str, Any]) -> Iterator[Item]:
        """The shapes of some inputs with their grids."""
        if self.dataset:
            from keras3dgan.datasets.builders import read_slice

            name, data_dir = self.dataset
            for part in inputs:
                for example, grid in read_slice(name, part.name, resolution, data_dir):
                    yield Item(example, pathlib.Path(example), pathlib.Path(example), grid)
            return
        folder = pathlib.Path(self.source)
        items = [Item(part.name, folder / part.name, pathlib.Path(part.name)) for part in inputs]
        yield from conversion.read(items, resolution, reading, self.keep_placement)


def files(folder: pathlib.Path, keep_placement: bool = True) -> Collection:
    """All readable files of a folder, at any depth; whether meshes keep their placement, as of `conversion.read`.

    Raises:
        InputError: there are none.
    """
    folder = folder.resolve()
    return Collection(str(folder), shards.files_of(folder), keep_placement=keep_placement)


def examples(name: str, split: str, resolution: int, size: int, data_dir: str | None) -> Collection:
    """A split of a TFDS data set, in slices of some size; it is prepared where that has not been done.

    Raises:
        InputError: no such data set or split, or its source is missing, or it has another resolution.
    """
    from keras3dgan.datasets.builders import prepare

    info = prepare(name, resolution, data_dir).info
    if split not in info.splits:
        raise InputError(f"{name} has no split '{split}'; choose one of {', '.join(info.splits)}.", "split")
    found = info.splits[split]
    starts = range(0, found.num_examples, size)
    slices = [f"{split}[{start}:{min(start + size, found.num_examples)}]" for start in starts]
    return Collection(info.full_name, [Input(each, found.num_bytes, 0) for each in slices], (name, data_dir))


class Compress(beam.DoFn):
    """Turns a shard into an archive with its manifest beside it.

    Args:
        collection: what the shards are of; without its inputs.
        made_by: for the manifest.
        model: as `recipes.load_codec` takes it; a run must lie on storage that all workers see.
        reading: further arguments of `io.read_shape`.
        goal: what streams are to reach.
    """

    def __init__(
        self, collection: Collection, made_by: Mapping[str, Any], model: str, reading: Mapping[str, Any], goal: Goal
    ):
        self._collection = dataclasses.replace(collection, inputs=())
        self._made_by = dict(made_by)
        self._model = model
        self._goal = goal
        self._reading = dict(reading)
        self._shared = Shared()
        # Beam would wrap an error in its own, with a traceback.
        self._failed = beam.metrics.Metrics.string_set("keras3dgan", _FAILED)

    def setup(self) -> None:
        # Once a process, however many threads it has.
        self._codec = self._shared.acquire(lambda: load_codec(self._model, self._goal), tag=(self._model, self._goal))

    def process(self, shard: Shard) -> None:
        try:
            self._write(shard)
        except OSError as error:
            self._failed.add(f"{error.filename or shard.target}: {error.strerror}")

    def _write(self, shard: Shard) -> None:
        shapes = self._collection.shapes(shard.inputs, self._codec.resolution, self._reading)
        with replacing(shard.target) as temporary:
            with archive.create(temporary, self._codec) as writer:
                done = conversion.write_into(conversion.choose(shapes, self._codec, archived=True), writer)
                # Item by item: of what has been written only its name is kept.
                told = [(item.name, " ".join(item.error.split()) if item.error else None) for item in done]
            bad = tuple((name, why) for name, why in told if why)
            # First, since it tells whether the archive beside it is its own.
            found = shards.digest(temporary)
            Manifest(found, self._made_by, len(told) - len(bad), shard.inputs, bad).write(shard.manifest)


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What the folder of archives holds after a run, earlier runs included.

    Attributes:
        archives: how many.
        done_before: archives that were there already.
        shapes: compressed.
        bad: inputs that could not be read.
        bytes: of all archives.
    """

    archives: int
    done_before: int
    shapes: int
    bad: int
    bytes: int


def run(
    collection: Collection,
    codec: ShapeCodec,
    model: str,
    output: pathlib.Path,
    size: int,
    reading: Mapping[str, Any],
    goal: Goal = Goal(),
    options: Any = None,
) -> Outcome:
    """Compresses a collection: what of it has no archive yet, or has changed since.

    Args:
        collection: what.
        codec: of the model.
        model: as `recipes.load_codec` takes it.
        output: folder of the archives; gets `bad_inputs.tsv` too.
        size: inputs an archive; of a data set each of its slices is one.
        reading: further arguments of `io.read_shape`.
        goal: what streams are to reach.
        options: Beam's `PipelineOptions`; default: the local runner.

    Raises:
        InputError: the folder is of another collection, another process writes to it, or it cannot be written to.
        LostHostError: a worker was killed.
    """
    wanted = dataclasses.asdict(goal)
    if not goal.latent_steps:  # as it was written before there were any
        del wanted["latent_steps"]
    made_by = {
        "source": collection.source,
        "model": codec.fingerprint.hex(),
        "goal": wanted,
        # Not the limits: they decide which files are read, not what becomes of them.
        "reading": {name: value for name, value in reading.items() if name != "limits"}
        | {"keep_placement": collection.keep_placement},
    }
    with locked(output, "another process compresses into this folder; wait for it or stop it."):
        planned = shards.plan(collection.inputs, output, 1 if collection.dataset else size, made_by)
        shards.remove_others(planned, output)
        if missing := [shard for shard in planned if not shard.done]:
            _compress(missing, Compress(collection, made_by, model, reading, goal), options)
        return _outcome(planned, output)


def _compress(missing: Sequence[Shard], compress: Compress, options: Any) -> None:
    """Runs the pipeline."""
    options = options or PipelineOptions()
    # Named here: Beam's own choice for one machine would download a program to run the pipeline with.
    local = options.view_as(StandardOptions).runner in (None, "DirectRunner")
    pipeline = beam.Pipeline(FnApiRunner() if local else None, options)
    _ = (
        pipeline
        | "shards" >> beam.Create(missing)
        | "one at a time" >> beam.Reshuffle()
        | "compress" >> beam.ParDo(compress)
    )
    with _workers_watched():
        result = pipeline.run()
        result.wait_until_finish()
    failed = result.metrics().query(beam.metrics.MetricsFilter().with_name(_FAILED))["string_sets"]
    if sentences := sorted({sentence for found in failed for sentence in found.committed}):
        more = f", and {len(sentences) - 1} more" if len(sentences) > 1 else ""
        raise InputError(f"{sentences[0]}{more}; check the folder and its free space, and run it again.")


@contextlib.contextmanager
def _workers_watched() -> Iterator[None]:
    """Ends the wait for a local worker that was killed: Beam tells that in a thread of its own, and waits on for ever.

    By a signal of its own: SIGINT is ignored in what a script starts in the background.
    """
    if threading.current_thread() is not threading.main_thread():  # whom alone a signal wakes
        yield
        return
    lost: list[BaseException] = []
    before = threading.excepthook

    def look(told: threading.ExceptHookArgs) -> None:
        if "Worker subprocess exited" in str(told.exc_value) and told.exc_value:
            lost.append(told.exc_value)
            signal.pthread_kill(threading.main_thread().ident or 0, _LOST)
        else:
            before(told)

    threading.excepthook = look
    handler = signal.signal(_LOST, _interrupt)
    try:
        yield
    except KeyboardInterrupt as error:
        if lost:
            raise LostHostError(f"{lost[0]}; run it again, with fewer workers if memory was short.") from error
        raise
    finally:
        signal.signal(_LOST, handler)
        threading.excepthook = before


def _interrupt(number: int, frame: Any) -> None:
    """As Ctrl-C does, which Beam lets through."""
    raise KeyboardInterrupt


def _outcome(planned: Sequence[Shard], output: pathlib.Path) -> Outcome:
    """Reads what was made, and writes the list of all bad inputs."""
    manifests = [Manifest.read(shard.manifest) for shard in planned]
    bad = [f"{name}\t{why}\n" for manifest in manifests for name, why in manifest.bad]
    with replacing(output / BAD_INPUTS) as temporary:
        temporary.write_text("".join(bad), errors="surrogateescape")  # names of files are in any encoding, or in none
    return Outcome(
        len(planned),
        sum(shard.done for shard in planned),
        sum(manifest.shapes for manifest in manifests),
        len(bad),
        sum(shard.target.stat().st_size for shard in planned),
    )
