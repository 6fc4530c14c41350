"""Training of VoxNet."""

from __future__ import annotations

from collections.abc import Sequence
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
    data_dir: str | None = None,
    manual_dir: str | None = None,
    checkpoint_seconds: float = 60.0,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> dict[str, Any]:
    """Trains a VoxNet and writes `models/voxnet.keras`; arguments, result and errors as `train_gan`.

    The result also holds the class names and the accuracy on the official test split.
    """
    source = (settings.classes, settings.resolution, data_dir, manual_dir)
    train, validation, test = (data.load(settings.dataset, split, *source) for split in data.SPLITS)
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
        run,
        voxnet,
        settings,
        train,
        validation,
        {"voxnet": voxnet},
        with_labels=True,
        callbacks=callbacks,
        checkpoint_seconds=checkpoint_seconds,
        summary=summary,
    )
