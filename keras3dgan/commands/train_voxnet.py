"""Trains VoxNet, the classifier whose features make the perceptual loss.

keras3dgan train_voxnet --workdir=runs/voxnet --preset=cpu --classes=chair,sofa,table,bed,lamp
"""

from keras3dgan.commands import cli
from keras3dgan.training.presets import PRESETS, VoxNetSettings

cli.add_settings(VoxNetSettings, list(PRESETS[VoxNetSettings]))
cli.add_run()


def main(_):
    """Trains, or goes on training, the run of --workdir."""
    from keras3dgan.training.classifier import train_voxnet

    with cli.training() as run:
        result = train_voxnet(cli.settings(VoxNetSettings), run, cli.run_options())
    print(
        f"{run.path}: {result['epochs']} epochs in {result['seconds']:.0f} s; accuracy {result['test_accuracy']:.1%} on "
        f"{result['test_shapes']} test shapes of {len(result['class_names'])} classes"
    )


if __name__ == "__main__":
    cli.run(main, __doc__)
