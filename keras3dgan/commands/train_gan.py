"""Trains a 3D-GAN on voxel shapes.

keras3dgan train_gan --workdir=runs/gan --preset=cpu --classes=chair
"""

from absl import flags

from keras3dgan.commands import cli
from keras3dgan.training.presets import PRESETS, GANSettings

cli.add_settings(GANSettings, list(PRESETS[GANSettings]))
cli.add_run()
cli.add(flags.DEFINE_string, "voxnet", None, "run of train_voxnet; its features give the Frechet distance")
cli.add(flags.DEFINE_integer, "samples_every", 10, "epochs between pictures of samples; 0: only after the last")


def main(_):
    """Trains, or goes on training, the run of --workdir."""
    from keras3dgan.report.callbacks import SamplePictures
    from keras3dgan.training.adversarial import train_gan
    from keras3dgan.training.run_directory import RunDirectory

    settings = cli.settings(GANSettings)
    voxnet = RunDirectory(cli.FLAGS.voxnet) if cli.FLAGS.voxnet else None
    with cli.training() as run:
        latents = (settings.latent_size, settings.latent_stddev, settings.seed)
        pictures = SamplePictures(run, cli.FLAGS.samples_every, *latents)
        result = train_gan(settings, run, cli.run_options([pictures]), voxnet)
    print(
        f"{run.path}: {result['epochs']} epochs, {result['steps']} steps in {result['seconds']:.0f} s; {_outcome(result)}"
    )
    print(f"see {run.samples}")


def _outcome(result):
    if "best" not in result:
        return "generation was not measured"
    best = result["best"]
    return (
        f"kept the generator of epoch {best['epoch']}: score {best['score']:.3f}, coverage {best['coverage_iou']:.2f}, 1-NN "
        f"accuracy {best['nna_iou']:.2f}, MMD {best['mmd_iou']:.2f} (IoU distance, validation shapes)"
    )


if __name__ == "__main__":
    cli.run(main, __doc__)
