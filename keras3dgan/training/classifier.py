"""Training of VoxNet."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from keras3dgan import backend, data
from keras3dgan.models.voxnet import VoxNet
from keras3dgan.training import loop
from keras3dgan.training.presets import VoxNetSettings
from keras3dgan.training.run_directory import RunDirectory


def build_voxnet(settings: VoxNetSettings, num_classes: int) -> VoxNet:
    """The compiled classifier of these settings."""
    voxnet = VoxNet(num_classes, settings.resolution, settings.filters)
    voxnet.compile(keras.optimizers.Adam(settings.learning_rate), jit_compile=backend.jit_compile(settings.xla))
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
    loop.prepare(settings)
    voxnet = build_voxnet(settings, len(train.class_names))

    def summary() -> dict[str, Any]:
        batches = data.evaluation_batches(test, settings.batch_size, with_labels=True)
        # Not `evaluate`, whose batches several hosts would share: here each measures on its own, and the same.
        right = [_right(voxnet(voxels, training=False), labels) for voxels, labels in batches]
        return {
            "class_names": train.class_names,
            "test_shapes": len(test),
            "test_accuracy": float(np.concatenate(right).mean()),
        }

    return loop.fit(
        run, voxnet, settings, train, validation, {"voxnet": voxnet}, options, with_labels=True, summary=summary
    )


def _right(probabilities, labels) -> np.ndarray:
    return keras.ops.convert_to_numpy(probabilities).argmax(axis=1) == keras.ops.convert_to_numpy(labels)
