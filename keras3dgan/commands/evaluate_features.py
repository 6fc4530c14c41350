"""Classifies shapes by a linear SVM on the features of a 3D-GAN's discriminator, which was trained without labels.

keras3dgan evaluate_features --model=runs/gan --dataset=modelnet10.npz --output=runs/features.json

The same discriminator untrained is measured beside it. Wu et al. 2016 report 91.0 % on ModelNet10.
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence

from absl import flags

from keras3dgan import presets
from keras3dgan.commands import cli
from keras3dgan.provenance import write_result
from keras3dgan.recipes import offer

cli.add_model("discriminator")
cli.add(flags.DEFINE_string, "dataset", None, "data set to classify; default: the run's", cli.MODEL)
cli.add(flags.DEFINE_list, "classes", [], "classes to tell apart; default: all of the data set", cli.MODEL)
cli.add(flags.DEFINE_string, "output", None, "JSON file to write")
cli.add_data()
flags.mark_flag_as_required("output")


def main(_: Sequence[str]) -> None:
    """Measures the discriminator of --model and the same untrained, and writes JSON."""
    import keras

    from keras3dgan import data
    from keras3dgan.evaluation.linear_probe import classify, discriminator_features
    from keras3dgan.models.discriminator import Discriminator

    run = presets.get(cli.FLAGS.model, "model")
    trained = offer(run, "discriminator")(run)
    settings = run.settings
    dataset = cli.FLAGS.dataset or settings["dataset"]
    more = (cli.FLAGS.classes, settings["resolution"], cli.FLAGS.data_dir, cli.FLAGS.manual_dir)
    shapes = [data.load(dataset, split, *more) for split in data.SPLITS]
    keras.utils.set_random_seed(settings["seed"])
    untrained = Discriminator(**{**trained.get_config(), "name": "untrained"})
    rows = {
        name: classify(discriminator_features(d), *shapes)
        for name, d in (("trained", trained), ("untrained", untrained))
    }
    content = {
        "dataset": dataset,
        "classes": list(shapes[0].class_names),
        "test_shapes": len(shapes[2]),
        "features": rows,
    }
    command = "keras3dgan evaluate_features " + shlex.join(sys.argv[1:])
    write_result(cli.FLAGS.output, command, {**content, "training": run.outcome()})
    print(
        f"{rows['trained']['test_accuracy']:.1%} of {len(shapes[2])} test shapes of {len(shapes[0].class_names)} classes "
        f"(the same discriminator untrained: {rows['untrained']['test_accuracy']:.1%}); wrote {cli.FLAGS.output}"
    )
