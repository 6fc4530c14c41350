"""Compresses a whole collection into .g3a archives with Apache Beam: on this machine, or on Dataflow, Flink or Spark.

keras3dgan bulk_compress --output=small folder_of_models
keras3dgan bulk_compress --model=runs/compressor --output=small --dataset=furniture_voxels/32 --split=train
keras3dgan bulk_compress ... --beam="--direct_num_workers=2 --direct_running_mode=multi_processing"
"""

from __future__ import annotations

import logging
import pathlib
import shlex
import time
from collections.abc import Sequence

from absl import flags

from keras3dgan.commands import cli
from keras3dgan.errors import InputError

TAKES_FILES = True
GOES_ON = True

cli.add_codec()
cli.add(flags.DEFINE_string, "dataset", None, "TFDS data set, already prepared, in place of a folder", cli.MODEL)
cli.add(flags.DEFINE_string, "split", "train", "of the data set", cli.MODEL)
cli.add_reading()
cli.add_keep_placement()
cli.add(
    flags.DEFINE_string, "output", None, "folder of the archives; given again, what is new or has changed is compressed"
)
cli.add(flags.DEFINE_integer, "shard_size", 1000, "inputs an archive, of those that are made anew")
cli.add(
    flags.DEFINE_string, "beam", "", "Beam's own flags in one word, e.g. --beam='--runner=FlinkRunner --parallelism=8'"
)
cli.add(flags.DEFINE_string, "data_dir", None, "where TFDS keeps prepared data sets [its own default]")
flags.mark_flag_as_required("output")


def main(words: Sequence[str]) -> None:
    """Compresses the folder that `words` names, or --dataset, and says how many shapes, archives and bad inputs there were."""
    # Beam tells of Google packages that are not installed, and of its workers as they come and go; what matters is raised.
    logging.disable(logging.ERROR)
    try:
        from apache_beam.options.pipeline_options import PipelineOptions
    except ModuleNotFoundError as error:
        raise InputError("needs apache_beam; type pip install '.[beam]' in the checkout.") from error

    from keras3dgan.commands import bulk

    model, output = cli.FLAGS.model, pathlib.Path(cli.FLAGS.output)
    if cli.FLAGS.shard_size < 1:
        raise InputError(f"must be at least 1, got {cli.FLAGS.shard_size}.", "shard_size")
    if (len(words) == 1) == (cli.FLAGS.dataset is not None) or len(words) > 1:
        raise InputError("give one folder, or --dataset.")
    if words and not pathlib.Path(words[0]).is_dir():
        raise InputError(f"{words[0]}: is no folder; 'keras3dgan compress' takes single files.")
    goal = cli.goal()
    codec = cli.load_codec(model, goal)
    size = cli.FLAGS.shard_size
    if cli.FLAGS.dataset:
        source = (cli.FLAGS.dataset, cli.FLAGS.split, codec.resolution)
        collection = bulk.examples(*source, size, cli.FLAGS.data_dir)
    else:
        collection = bulk.files(pathlib.Path(words[0]), cli.FLAGS.keep_placement)
    begin = time.perf_counter()
    options = PipelineOptions(shlex.split(cli.FLAGS.beam))
    done = bulk.run(collection, codec, model, output, size, cli.reading(), goal, options)
    seconds = time.perf_counter() - begin
    if done.shapes:
        rate = "" if done.done_before else f", {done.shapes / seconds:.1f} shapes/s"
        mean = done.bytes / done.shapes
        print(f"{output}: {done.shapes} shapes in {done.archives} archives, {mean:.1f} bytes a shape{rate}")
    if done.done_before:
        print(f"{done.done_before} of {done.archives} archives were there already")
    if done.bad:
        raise InputError(
            f"{done.bad} inputs could not be read; {output / bulk.BAD_INPUTS} lists them, with the reasons."
        )
