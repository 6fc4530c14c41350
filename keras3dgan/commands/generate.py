"""Makes new shapes: with a trained 3D-GAN, or with an octree model, which needs no training and no TensorFlow.

keras3dgan generate --model=octree32 --count=16 --classes=chair --output=shapes
keras3dgan generate --model=runs/gan --output=shapes        # or a preset's name, folder or hf://owner/name
"""

from __future__ import annotations

import pathlib
from collections.abc import Sequence

import numpy as np
from absl import flags

from keras3dgan import codec, recipes
from keras3dgan.commands import cli
from keras3dgan.errors import InputError
from keras3dgan.recipes import offer, recipe_of

NEEDS_BACKEND = False

text = f"run or preset ({recipes.sources('generate')}), or an octree model: {', '.join(codec.shipped())} or an .npz"
cli.add(flags.DEFINE_string, "model", codec.DRAWN_FROM, text, cli.MODEL)
cli.add(flags.DEFINE_integer, "count", 16, "how many shapes", cli.MODEL)
cli.add(flags.DEFINE_integer, "seed", 0, "other seeds give other shapes", cli.MODEL)
cli.add(
    flags.DEFINE_float,
    "temperature",
    None,
    "octree models: below 1 likelier shapes, above 1 odder ones [0.8]",
    cli.MODEL,
)
cli.add(flags.DEFINE_list, "classes", [], "octree models: only shapes like those of these classes", cli.MODEL)
cli.add(flags.DEFINE_string, "output", None, "folder to write to")
cli.add(flags.DEFINE_string, "format", "glb", "glb, obj, stl, ply, binvox, npy or npz")
flags.mark_flag_as_required("output")


def main(_: Sequence[str]) -> None:
    """Writes generated shapes, a picture and a page of them."""
    from keras3dgan.commands import shapes_output

    if cli.FLAGS.count < 1:
        raise InputError(f"must be at least 1, got {cli.FLAGS.count}.", "count")
    if cli.FLAGS.seed < 0:
        raise InputError(f"must not be negative, got {cli.FLAGS.seed}.", "seed")
    shapes_output.write(generate(cli.FLAGS.model), pathlib.Path(cli.FLAGS.output), cli.FLAGS.format)


def generate(model: str) -> np.ndarray:
    """New shapes (count, n, n, n) in [0, 1] of a run or of an octree model."""
    drawn = (cli.FLAGS.count, cli.FLAGS.seed, cli.FLAGS.temperature, cli.FLAGS.classes)
    if run := recipes.find(model, "generate"):
        make = offer(run, "generate")
        if recipe_of(run).needs_keras:
            cli.import_backend()
        return make(run, *drawn)
    count, seed, temperature, classes = drawn
    temperature = {} if temperature is None else {"temperature": temperature}
    return codec.load(model).sample(count, seed=seed, classes=classes, **temperature)
