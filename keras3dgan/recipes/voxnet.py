"""VoxNet, the classifier behind the perceptual loss (the report, section 3.3.1; Maturana and Scherer 2015).

keras3dgan train_voxnet --workdir=runs/voxnet --preset=cpu --classes=chair,sofa,table,storage,plant

Presets: `report`; `best`, 120 epochs: 89.6 % on the ten classes of ModelNet10 by 4 votes; `cpu`, 15 epochs: 98 % on five
of them in 3 minutes; `test`, seconds.
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
    filters: int = knob(32, "channels of all convolutions", least=1)
    residual_blocks: int = knob(0, "residual blocks after the pooling, for a deeper classifier; 0: VoxNet", least=0)
    optimizer: str = knob("adam", "adam or adamw", choices=("adam", "adamw"))
    learning_rate: float = knob(0.001, "learning rate", above=0)
    weight_decay: float = knob(0.01, "with optimizer adamw: weight decay", least=0)
    schedule: str = knob(
        "constant", "of the learning rate: constant; or cosine, to 0 at the end", choices=("constant", "cosine")
    )
    average: float = knob(
        0.0, "share of the old value in a running mean of the weights, 0.99 or so; 0: none", least=0, below=1
    )

    @property
    def may_change(self) -> tuple[str, ...]:
        # A cosine ends with the last epoch.
        return () if self.schedule == "cosine" else super().may_change


PRESETS: dict[str, dict[str, Any]] = {
    "report": {},
    "best": {
        "epochs": 120,
        "batch_size": 64,
        "augmentation": "mirror,shift,stretch,rotate",
        "optimizer": "adamw",
        "schedule": "cosine",
        "average": 0.99,
        "precision": "auto",
    },
    "cpu": {"epochs": 15, "precision": "auto"},
    "test": {"epochs": 3, "filters": 4, "batch_size": 16},
}


def build(settings: VoxNetSettings, num_classes: int, steps_per_epoch: int = 1) -> VoxNet:
    """The compiled classifier of these settings."""
    from keras3dgan import backend, models
    from keras3dgan.training.optimizers import cosine, make_optimizer

    voxnet = models.VoxNet(num_classes, settings.resolution, settings.filters, settings.residual_blocks)
    rate: Any = settings.learning_rate
    if settings.schedule == "cosine":
        rate = cosine(rate, settings.epochs * steps_per_epoch)
    optimizer = make_optimizer(settings.optimizer, rate, 0.9, settings.weight_decay, settings.average)
    voxnet.compile(optimizer, jit_compile=backend.jit_compile(settings.xla))
    voxnet.optimizer.build(voxnet.trainable_variables)
    return voxnet


def train(settings: VoxNetSettings, run: Run, options: Options = Options()) -> dict[str, Any]:
    """Trains a VoxNet and writes `models/voxnet.keras`; arguments, result and errors as `recipes.gan.train`.

    The result also holds the class names and the accuracy on the official test split.
    """
    from keras3dgan import data
    from keras3dgan.training import loop

    train_shapes, validation, test = (options.load(settings, split) for split in data.SPLITS)
    if finished := loop.start(run, "voxnet", settings):
        return finished
    with loop.prepared(settings):
        steps = loop.steps_per_epoch(train_shapes, settings.batch_size)
        voxnet = build(settings, len(train_shapes.class_names), steps)

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
    task="classifies shapes",
    preset=load,
    classifier=load,
)
