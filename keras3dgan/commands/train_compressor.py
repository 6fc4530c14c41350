"""Trains the generative compressor: the 3D-GAN's generator becomes the decoder, VoxNet gives the perceptual loss.

keras3dgan train_compressor --workdir=runs/compressor --gan=runs/gan --voxnet=runs/voxnet --preset=cpu --classes=chair
"""

from absl import flags

from keras3dgan.commands import cli
from keras3dgan.training.presets import PRESETS, CompressorSettings

cli.add_settings(CompressorSettings, list(PRESETS[CompressorSettings]))
cli.add(flags.DEFINE_string, "gan", None, "run of train_gan; not needed with --decoder=scratch")
cli.add(flags.DEFINE_string, "voxnet", None, "run of train_voxnet")
flags.mark_flag_as_required("voxnet")
cli.add_run()


def main(_):
    """Trains, or goes on training, the run of --workdir."""
    from keras3dgan.training.compression import train_compressor
    from keras3dgan.training.run_directory import RunDirectory

    gan = RunDirectory(cli.FLAGS.gan) if cli.FLAGS.gan else None
    voxnet = RunDirectory(cli.FLAGS.voxnet)
    with cli.training() as run:
        result = train_compressor(cli.settings(CompressorSettings), run, gan, voxnet, cli.run_options())
    print(
        f"{run.path}: {result['epochs']} epochs in {result['seconds']:.0f} s; IoU {result['last']['val_iou']:.3f} on "
        f"{result['validation_shapes']} validation shapes"
    )


if __name__ == "__main__":
    cli.run(main, __doc__)
