"""Saves what a run has trained as a preset: a folder with weights in half precision and a model card.

keras3dgan save_preset --run=runs/gan --output=presets/gan_chair_32 --results=results/generation_chair.json
keras3dgan save_preset --run=runs/gan --output=presets/gan_chair_32_discriminator --network=discriminator
"""

from __future__ import annotations

from collections.abc import Sequence

from absl import flags

from keras3dgan import presets, recipes
from keras3dgan.commands import cli

cli.add(flags.DEFINE_string, "run", None, f"finished run, or a preset to write anew: {recipes.sources('preset')}")
cli.add(flags.DEFINE_string, "output", None, "folder to write; its name is the preset's")
cli.add(flags.DEFINE_list, "results", [], "JSON files that evaluate commands wrote, which tell how good the run is")
cli.add(flags.DEFINE_string, "limitations", "", "what the model is bad at, for its card")
cli.add(flags.DEFINE_string, "network", None, "only this network of the run, as discriminator [what its kind is for]")
text = "what may be done with a model that has learnt from the run's data [what is known of its data set]"
cli.add(flags.DEFINE_string, "terms", "", text)
cli.add(
    flags.DEFINE_string, "shares", None, "preset of this package, whose weights are not stored again, as compressor_32"
)
flags.mark_flags_as_required(["run", "output"])


def main(_: Sequence[str]) -> None:
    """Writes the preset of --run."""
    from keras3dgan.export import preset_export

    run, output = presets.get(cli.FLAGS.run, "run"), cli.FLAGS.output
    told = (cli.FLAGS.results, cli.FLAGS.limitations, cli.FLAGS.network, cli.FLAGS.terms, cli.FLAGS.shares)
    preset = preset_export.write(run, output, *told)
    size = sum(path.stat().st_size for path in preset.path.rglob("*") if path.is_file())
    print(f"wrote {output}, {size / 1e6:.1f} MB; see {output}/README.md")
