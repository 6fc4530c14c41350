"""Trains a 3D-VAE-GAN, which makes a shape of a picture.

keras3dgan train_vae_gan --workdir=runs/vae_gan --preset=cpu --classes=chair
keras3dgan train_vae_gan --workdir=runs/textured --preset=cpu --views=usr/share/sweethome3d/furniture
"""

from absl import flags

from keras3dgan.commands import cli
from keras3dgan.training.presets import PRESETS, VAEGANSettings

cli.add_settings(VAEGANSettings, list(PRESETS[VAEGANSettings]))
cli.add_run()
cli.add(flags.DEFINE_integer, "samples_every", 10, "epochs between pictures of reconstructions; 0: only after the last")


def main(_):
    """Trains, or goes on training, the run of --workdir."""
    from keras3dgan.training.vae_gan import train_vae_gan

    settings = cli.settings(VAEGANSettings)
    with cli.training() as run:
        result = train_vae_gan(settings, run, cli.run_options(), cli.FLAGS.samples_every)
    print(
        f"{run.path}: {result['epochs']} epochs, {result['steps']} steps in {result['seconds']:.0f} s; {_outcome(result)}"
    )
    print(f"see {run.samples}")


def _outcome(result):
    if "best" not in result:
        return "reconstruction was not measured"
    best = result["best"]
    return f"kept the models of epoch {best['epoch']}: IoU {best['val_iou']:.3f} (one view, validation shapes)"


if __name__ == "__main__":
    cli.run(main, __doc__)
