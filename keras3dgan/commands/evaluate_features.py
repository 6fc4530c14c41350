"""Classifies shapes by a linear SVM on the features of a 3D-GAN's discriminator, which was trained without labels.

keras3dgan evaluate_features --model=runs/gan --dataset=modelnet10.npz --output=runs/features.json

The same discriminator untrained is measured beside it. Wu et al. 2016 report 91.0 % on ModelNet10.
"""

import shlex
import sys

from absl import flags

from keras3dgan.commands import cli

cli.add(flags.DEFINE_string, "model", None, "run of train_gan", cli.MODEL)
cli.add(flags.DEFINE_string, "dataset", None, "data set to classify; the run's unless told", cli.MODEL)
cli.add(flags.DEFINE_list, "classes", [], "classes to tell apart; all of the data set unless told", cli.MODEL)
cli.add(flags.DEFINE_string, "output", None, "JSON file to write")
cli.add_data()
flags.mark_flags_as_required(["model", "output"])


def main(_):
    """Measures the discriminator of --model and the same untrained, and writes JSON."""
    import keras

    from keras3dgan import data
    from keras3dgan.models.discriminator import Discriminator
    from keras3dgan.report.comparison import outcome
    from keras3dgan.report.features import classify, discriminator_features
    from keras3dgan.report.generators import generator_settings
    from keras3dgan.training.run_directory import RunDirectory, write_result

    run = RunDirectory(cli.FLAGS.model)
    settings = generator_settings(run)
    dataset = cli.FLAGS.dataset or settings["dataset"]
    more = (cli.FLAGS.classes, settings["resolution"], cli.FLAGS.data_dir, cli.FLAGS.manual_dir)
    shapes = [data.load(dataset, split, *more) for split in data.SPLITS]
    trained = run.load_model("discriminator")
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
    write_result(cli.FLAGS.output, command, {**content, "training": outcome(run)})
    print(
        f"{rows['trained']['test_accuracy']:.1%} of {len(shapes[2])} test shapes of {len(shapes[0].class_names)} classes "
        f"(the same discriminator untrained: {rows['untrained']['test_accuracy']:.1%}); wrote {cli.FLAGS.output}"
    )


if __name__ == "__main__":
    cli.run(main, __doc__)
