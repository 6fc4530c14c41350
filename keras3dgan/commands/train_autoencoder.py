"""Trains the plain autoencoder: the compressor's networks without the 3D-GAN and the perceptual loss.

keras3dgan train_autoencoder --workdir=runs/autoencoder --preset=cpu --classes=chair
"""

from keras3dgan.commands import cli
from keras3dgan.training.presets import PRESETS, AutoencoderSettings

cli.add_settings(AutoencoderSettings, list(PRESETS[AutoencoderSettings]))
cli.add_run()


def main(_):
    """Trains, or goes on training, the run of --workdir."""
    from keras3dgan.training.compression import train_autoencoder

    with cli.training() as run:
        result = train_autoencoder(cli.settings(AutoencoderSettings), run, cli.run_options())
    print(
        f"{run.path}: {result['epochs']} epochs in {result['seconds']:.0f} s; IoU {result['last']['val_iou']:.3f} on "
        f"{result['validation_shapes']} validation shapes"
    )


if __name__ == "__main__":
    cli.run(main, __doc__)
