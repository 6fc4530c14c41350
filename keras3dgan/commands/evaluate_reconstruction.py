"""Measures shapes made of pictures of objects never trained on, beside two baselines.

keras3dgan evaluate_reconstruction --model=runs/vae_gan --output=runs/chair.json --picture=runs/chair.png
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence

from keras3dgan import presets
from keras3dgan.commands import cli
from keras3dgan.provenance import write_result
from keras3dgan.recipes import offer, recipe_of
from keras3dgan.training.options import Options

cli.add_model("reconstructor")
cli.add_measuring("views, reconstructions, shapes")


def main(_: Sequence[str]) -> None:
    """Measures --model and the baselines, writes JSON, and a picture if one is named."""
    import numpy as np

    from keras3dgan.evaluation.reconstructions import MeanShape, Method, NearestShape, evaluate, table
    from keras3dgan.export.shapes_page import compared, write_shapes_page
    from keras3dgan.pictures.framing import on_white
    from keras3dgan.pictures.picture_set import load_views
    from keras3dgan.report import figures

    run = presets.get(cli.FLAGS.model, "model")
    model = offer(run, "reconstructor")(run)
    settings = recipe_of(run).read_settings(run)
    options = Options(cli.FLAGS.data_dir, cli.FLAGS.manual_dir)
    source = (settings.views, settings.picture_size, cli.FLAGS.data_dir)
    train, held_out = (load_views(options.load(settings, split), *source) for split in ("train", cli.FLAGS.split))
    nearest = NearestShape(train)
    methods: dict[str, Method] = {
        settings.TITLE: lambda pictures, labels: model.reconstruct(pictures),
        "nearest training shape (HOG)": nearest,
        "mean shape of the class": MeanShape(train.shapes, options.load(settings, "validation")),
    }
    rows = {name: evaluate(method, held_out) for name, method in methods.items()}
    content = {"split": cli.FLAGS.split, "views": held_out.views.shape[1], "reconstruction": rows}
    command = "keras3dgan evaluate_reconstruction " + shlex.join(sys.argv[1:])
    write_result(cli.FLAGS.output, command, {**content, "trainings": {run.name: run.outcome()}})
    print(table(rows))
    places = cli.FLAGS.output
    shown = np.random.default_rng(0).permutation(len(held_out))[:8]
    views, labels = held_out.views[shown, 1], held_out.shapes.labels[shown]
    drawn = {
        "shape": held_out.shapes.grids(shown),
        settings.TITLE: model.reconstruct(views),
        "nearest training shape": nearest(views, labels),
    }
    if cli.FLAGS.picture:
        figures.save(figures.shapes([on_white(views), *drawn.values()], ["view", *drawn]), cli.FLAGS.picture)
        places += f" and {cli.FLAGS.picture}"
    if cli.FLAGS.page:
        write_shapes_page("Shapes, and what one view of each gives", compared(drawn), cli.FLAGS.page)
        places += f" and {cli.FLAGS.page}"
    print(f"{len(held_out)} {cli.FLAGS.split} shapes, {held_out.views.shape[1]} views each; wrote {places}")
