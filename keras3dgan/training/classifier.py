"""Training of VoxNet."""

from __future__ import annotations

from typing import Any

import keras

from keras3dgan import data
from keras3dgan.models.voxnet import VoxNet
from keras3dgan.training import loop
from keras3dgan.training.presets import VoxNetSettings
from keras3dgan.training.run_directory import RunDirectory


def build_voxnet(settings: VoxNetSettings, num_classes: int) -> VoxNet:
    """The compiled classifier of these settings."""
    voxnet = VoxNet(num_classes, settings.resolution, settings.filters)
    voxnet.compile(
        keras.optimizers.Adam(settings.learning_rate), "sparse_categorical_crossentropy", metrics=["accuracy"]
    )
    voxnet.optimizer.build(voxnet.trainable_variables)
    return voxnet


def train_voxnet(
    settings: VoxNetSettings,
    run: RunDirectory,
    options: loop.Options = loop.Options(),
) -> dict[str, Any]:
    """Trains a VoxNet and writes `models/voxnet.keras`; arguments, result and errors as `train_gan`.

    The result also holds the class names and the accuracy on the official test split.
    """
    train, validation, test = (options.load(settings, split) for split in data.SPLITS)
    run.start("voxnet", settings)
    if loop.is_finished(run, settings):
        return run.result() or {}
    loop.make_deterministic(settings.seed)
    voxnet = build_voxnet(settings, len(train.class_names))

    def summary() -> dict[str, Any]:
        scores = voxnet.evaluate(
            data.evaluation_batches(test, settings.batch_size, with_labels=True), verbose=0, return_dict=True
        )
        return {
            "class_names": train.class_names,
            "test_shapes": len(test),
            "test_accuracy": scores["accuracy"],
        }

    return loop.fit(
        run, voxnet, settings, train, validation, {"voxnet": voxnet}, options, with_labels=True, summary=summary
    )
