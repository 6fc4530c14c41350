"""Makes finer grids of coarse ones (.npy .npz .binvox .mat): what is added is likely by an octree model, or drawn from it.

keras3dgan refine grid_16.npy --resolution=64 --output=fine.glb
keras3dgan refine --likely --format=npy --output=fine folder_of_grids
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Sequence

from absl import flags

from keras3dgan.codec.shipped import BEST
from keras3dgan.commands import cli
from keras3dgan.commands.items import Item, Tally
from keras3dgan.errors import InputError

TAKES_FILES = True
NEEDS_BACKEND = False
READABLE = (".npy", ".npz", ".binvox", ".mat")

cli.add(flags.DEFINE_integer, "resolution", 64, "voxels along an edge to reach", cli.MODEL)
cli.add(
    flags.DEFINE_list,
    "models",
    list(BEST.values()),
    "octree models, by name or .npz; each makes what it knows",
    cli.MODEL,
)
cli.add(flags.DEFINE_boolean, "likely", False, "every voxel as is likelier, nothing drawn", cli.MODEL)
cli.add(flags.DEFINE_float, "temperature", 0.8, "below 1 likelier details, above 1 odder ones", cli.MODEL)
cli.add(flags.DEFINE_integer, "seed", 1, "other seeds give other details", cli.MODEL)
cli.add(flags.DEFINE_string, "output", None, "file or folder to write to [beside the input]")
cli.add(
    flags.DEFINE_string, "format", "glb", "of files whose name is not given: glb, obj, stl, ply, binvox, npy or npz"
)
cli.add_overwrite()


def main(words: Sequence[str]) -> None:
    """Refines the files and folders that `words` name; pooled again, the shapes are what they were."""
    from keras3dgan.commands import conversion, file_plan
    from keras3dgan.voxels import io

    suffix = io.check_writable(f".{cli.FLAGS.format}")
    plan = file_plan.plan(words, cli.FLAGS.output, READABLE, suffix)
    items = [Item(str(source), source, target) for source, target in plan]
    conversion.check_targets(items, cli.FLAGS.output, cli.FLAGS.overwrite)
    tally = Tally("refine", len(items))
    tally.run(conversion.write_shapes(refine(items)))
    tally.finish()


def refine(items: Iterable[Item]) -> Iterator[Item]:
    """Gives each item its refined grid (n, n, n)."""
    from keras3dgan.codec import refinement
    from keras3dgan.voxels import io

    # Loaded for the first file, and once: the larger models take a second.
    codecs = functools.cache(lambda: refinement.load(cli.FLAGS.models))
    how = (cli.FLAGS.resolution, cli.FLAGS.temperature, cli.FLAGS.seed, cli.FLAGS.likely)
    for item in items:
        try:
            if item.source.suffix.lower() not in READABLE:
                raise InputError(f"{item.name}: is no grid; give one of {', '.join(READABLE)}.")
            [item.content] = refinement.refine_by(codecs(), io.read_grid(item.source)[None], *how)
        except InputError as error:
            item.fail(error)
            item.error = f"{item.name}: {item.error}" if item.name not in str(item.error) else item.error
        yield item
