"""Trains a 3D-GAN on voxel shapes.

keras3dgan train_gan --workdir=runs/gan --preset=cpu --classes=chair
"""

from absl import flags

from keras3dgan.commands import cli
from keras3dgan.training.presets import PRESETS, GANSettings

cli.add_settings(GANSettings, list(PRESETS[GANSettings]))
cli.add_run()
cli.add(flags.DEFINE_integer, "samples_every", 10, "epochs between pictures of samples; 0: only after the last")


def main(_):
    from keras3dgan.report.callbacks import SamplePictures
    from keras3dgan.training.adversarial import train_gan
    from keras3dgan.training.run_directory import RunDirectory

    settings = cli.settings(GANSettings)
    run = RunDirectory(cli.FLAGS.workdir)
    pictures = SamplePictures(run, cli.FLAGS.samples_every, settings.latent_size, settings.latent_stddev, settings.seed)
    result = train_gan(settings, run, cli.run_options([pictures]))
    last = result["last"]
    print(
        f"{run.path}: {result['epochs']} epochs, {result['steps']} steps in {result['seconds']:.0f} s; samples occupy "
        f"{last['occupied']:.1%} of the volume and differ by {last['diversity']:.2f} (mean 1 - IoU); see {run.samples}"
    )


if __name__ == "__main__":
    cli.run(main, __doc__)
