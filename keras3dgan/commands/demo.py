"""Trains everything small on the bundled furniture, compresses unseen shapes into files and back, and shows the outcome.

keras3dgan demo --output=demo
"""

import pathlib
import time

from absl import flags

from keras3dgan.commands import cli

cli.add(flags.DEFINE_string, "preset", "demo", "preset of all four trainings: demo, or test for a quick try", cli.MODEL)
cli.add(flags.DEFINE_string, "output", "demo", "folder to write to; given again, the demo goes on where it was")
cli.add(flags.DEFINE_string, "data_dir", None, "where TFDS keeps prepared data sets [OUTPUT/data]")


def main(_):
    """Trains, compresses and reports, going on where an earlier call was stopped."""
    from keras3dgan.codec.evaluation import table
    from keras3dgan.report.comparison import compare

    begin = time.monotonic()
    folder = pathlib.Path(cli.FLAGS.output)
    data_dir = cli.FLAGS.data_dir or str(folder / "data")
    runs = train(folder / "runs", cli.FLAGS.preset, data_dir)
    print("\nCompressing unseen shapes", flush=True)
    comparison = compare([runs["compressor"], runs["autoencoder"]], "test", True, data_dir)
    files = write_files(folder / "files", comparison)
    write_page(folder / "report.html", runs, comparison)
    print(f"\n{table(comparison.rows)}\n\n{len(comparison.shapes)} test shapes, none of them trained on; {files}")
    print(f"Open {folder / 'report.html'}: pictures, samples, curves ({time.monotonic() - begin:.0f} s in all).")


def train(folder, preset, data_dir):
    """Trains 3D-GAN, VoxNet, compressor and autoencoder; returns their run directories by kind."""
    from keras3dgan.report.callbacks import SamplePictures
    from keras3dgan.training import presets
    from keras3dgan.training.adversarial import train_gan
    from keras3dgan.training.classifier import train_voxnet
    from keras3dgan.training.compression import train_autoencoder, train_compressor
    from keras3dgan.training.loop import Options
    from keras3dgan.training.run_directory import RunDirectory

    runs = {kind: RunDirectory(folder / kind) for kind in ("gan", "voxnet", "compressor", "autoencoder")}
    gan = presets.settings(presets.GANSettings, preset, {})
    print("1/4  3D-GAN: learns what furniture looks like", flush=True)
    pictures = SamplePictures(runs["gan"], 10, gan.latent_size, gan.latent_stddev, gan.seed)
    train_gan(gan, runs["gan"], Options(data_dir, callbacks=[pictures]))
    print("\n2/4  VoxNet: learns to tell the classes apart", flush=True)
    train_voxnet(presets.settings(presets.VoxNetSettings, preset, {}), runs["voxnet"], Options(data_dir))
    print("\n3/4  Compressor: encoder for the 3D-GAN's generator", flush=True)
    compressor = presets.settings(presets.CompressorSettings, preset, {})
    train_compressor(compressor, runs["compressor"], runs["gan"], runs["voxnet"], Options(data_dir))
    print("\n4/4  Plain autoencoder: the baseline", flush=True)
    train_autoencoder(presets.settings(presets.AutoencoderSettings, preset, {}), runs["autoencoder"], Options(data_dir))
    return runs


def write_files(folder, comparison):
    """Compresses every test shape into a file and every file into a mesh; returns a sentence about them."""
    from keras3dgan.codec import container
    from keras3dgan.voxels import io

    codec = next(iter(comparison.codecs.values()))
    shapes = comparison.shapes
    total = 0
    for row, content in enumerate(codec.encode(shapes.grids())):
        name = str(shapes.ids[row]).replace("/", "-")
        container.write(folder / f"{name}.g3c", content)
        total += (folder / f"{name}.g3c").stat().st_size
        restored = codec.decode([container.read(folder / f"{name}.g3c")])[0]
        if restored.max() > 0.5:
            io.write_shape(folder / f"{name}.glb", restored)
    return f"{total} bytes of .g3c files in {folder}, the meshes they decode to beside them."


def write_page(path, runs, comparison):
    """Writes the report."""
    from keras3dgan.report import figures
    from keras3dgan.report.page import Page
    from keras3dgan.report.runs import add_comparison, add_run, reconstructions

    page = Page("keras3dgan: furniture compressed by what a small network learnt of it")
    page.heading(f"Unseen shapes, compressed and restored ({len(comparison.shapes)} of the test split)")
    add_comparison(page, comparison.rows)
    page.picture(figures.png(reconstructions(comparison.shapes, comparison.codecs)), "Originals and reconstructions")
    for run in runs.values():
        add_run(page, run)
    page.write(path)


if __name__ == "__main__":
    cli.run(main, __doc__)
