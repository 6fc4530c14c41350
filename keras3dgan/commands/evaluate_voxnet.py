"""Measures the accuracy of a classifier on shapes never trained on.

keras3dgan evaluate_voxnet --model=runs/voxnet --votes=4 --output=runs/voxnet.json
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence

from absl import flags

from keras3dgan.commands import cli
from keras3dgan.provenance import write_result
from keras3dgan.recipes import offer
from keras3dgan.runs import Run

cli.add(flags.DEFINE_string, "model", None, "run of train_voxnet", cli.MODEL)
cli.add(flags.DEFINE_integer, "votes", 1, "positions about z whose mean decides: 1, 2 or 4", cli.MODEL)
cli.add_measuring()
flags.mark_flag_as_required("model")


def main(_: Sequence[str]) -> None:
    """Measures --model on --split, and writes JSON."""
    from keras3dgan import data
    from keras3dgan.evaluation.classification import classification

    run = Run(cli.FLAGS.model)
    classifier = offer(run, "classifier")(run)
    settings = run.settings
    source = (settings["dataset"], cli.FLAGS.split, settings["classes"], settings["resolution"])
    found = classification(classifier, data.load(*source, cli.FLAGS.data_dir, cli.FLAGS.manual_dir), cli.FLAGS.votes)
    content = {"split": cli.FLAGS.split, "votes": cli.FLAGS.votes, "classification": found, "training": run.outcome()}
    write_result(cli.FLAGS.output, "keras3dgan evaluate_voxnet " + shlex.join(sys.argv[1:]), content)
    worst = min(found["by_class"], key=found["by_class"].get)
    print(
        f"accuracy {found['accuracy']:.1%} on {found['shapes']} {cli.FLAGS.split} shapes, "
        f"least on {worst}, {found['by_class'][worst]:.1%}; wrote {cli.FLAGS.output}"
    )
