"""VoxNet, the classifier behind the perceptual loss (the report, section 3.3.1; Maturana and Scherer 2015).

keras3dgan train_voxnet --workdir=runs/voxnet --preset=cpu --classes=chair,sofa,table,storage,plant

Presets: `report`; `cpu`, 15 epochs: 98 % on five classes of ModelNet10 in 3 minutes; `demo`, `test`, a minute, seconds.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from keras3dgan.runs import Run
from keras3dgan.training.options import Options
from keras3dgan.training.recipe import Part, Recipe
from keras3dgan.training.settings import Settings, knob

if TYPE_CHECKING:
    from keras3dgan.models.voxnet import VoxNet


@dataclasses.dataclass(frozen=True)
class VoxNetSettings(Settings):
    """The classifier."""

    epochs: int = knob(30, "passes over the training shapes", least=1)
    filters: int = knob(32, "channels of both convolutions", least=1)
    learning_rate: float = knob(0.001, "Adam's learning rate", above=0)


PRESETS: dict[str, dict[str, Any]] = {
    "report": {},
    "cpu": {"epochs": 15, "precision": "auto"},
    "demo": {"epochs": 12, "filters": 16, "batch_size": 50, "augmentation": "flip", "precision": "auto"},
    "test": {"epochs": 3, "filters": 4, "batch_size": 16},
}


def build(settings: VoxNetSettings, num_classes: int) -> VoxNet:
    """The compiled classifier of these settings."""
    import keras

    from keras3dgan import backend, models

    voxnet = models.VoxNet(num_classes, settings.resolution, settings.filters)
    voxnet.compile(keras.optimizers.Adam(settings.learning_rate), jit_compile=backend.jit_compile(settings.xla))
    voxnet.optimizer.build(voxnet.trainable_variables)
    return voxnet


def train(settings: VoxNetSettings, run: Run, options: Options = Options()) -> dict[str, Any]:
    """Trains a VoxNet and writes `models/voxnet.keras`; arguments, result and errors as `recipes.gan.train`.

    The result also holds the class names and the accuracy on the official test split.
    """
    from keras3dgan import data
    from keras3dgan.training import loop

    train_shapes, validation, test = (options.load(settings, split) for split in data.SPLITS)
    run.start("voxnet", settings, may_change=settings.may_change)
    if loop.is_finished(run, settings):
        return run.result() or {}
    with loop.prepared(settings):
        voxnet = build(settings, len(train_shapes.class_names))

    def summary() -> dict[str, Any]:
        # Not `evaluate`, whose batches several hosts would share: here each measures on its own, and the same.
        right = voxnet.classify(test.grids()) == test.labels
        return {
            "class_names": train_shapes.class_names,
            "test_shapes": len(test),
            "test_accuracy": float(right.mean()),
        }

    return loop.fit(
        run, voxnet, settings, train_shapes, validation, {"voxnet": voxnet}, options, with_labels=True, summary=summary
    )


def load(run: Run) -> VoxNet:
    """The trained classifier, voxels (batch, n, n, n, 1) to probabilities (batch, classes)."""
    from keras3dgan.training.model_files import load_model

    return load_model(run, "voxnet")


def _parts(run: Run) -> list[Part]:
    result = run.result() or {}
    return [Part("voxnet", "classifier", load(run), class_names=tuple(result["class_names"]))]


def _facts(result: dict[str, Any]) -> list[str]:
    classes = ", ".join(result["class_names"])
    return [f"Accuracy on {result['test_shapes']} test shapes: {result['test_accuracy']:.1%} ({classes})."]


RECIPE = Recipe(
    kind="voxnet",
    title="VoxNet",
    help="train the classifier behind the perceptual loss",
    settings=VoxNetSettings,
    presets=PRESETS,
    train=train,
    line=lambda result: f"accuracy {result['test_accuracy']:.1%} on {result['test_shapes']} test shapes",
    facts=_facts,
    curves={"loss": ("loss", "val_loss"), "accuracy": ("accuracy", "val_accuracy")},
    parts=_parts,
    classifier=load,
)
