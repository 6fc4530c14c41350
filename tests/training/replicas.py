"""Trains one model for six steps on one device and on two halves of the CPU; fails where they differ. Run by its test."""

import sys

import keras
import numpy as np
import tensorflow as tf

from keras3dgan import backend
from keras3dgan.training import adversarial, classifier, compression
from keras3dgan.training.presets import AutoencoderSettings, GANSettings, VoxNetSettings, settings
from tests.conftest import boxes


def build(kind):
    """A compiled model of 16^3 that uses everything its kind has."""
    keras.utils.set_random_seed(0)
    if kind == "voxnet":
        model = classifier.build_voxnet(settings(VoxNetSettings, "test", {"resolution": 16}), 2)
        for layer in model.layers:
            if isinstance(layer, keras.layers.Dropout):
                layer.rate = 0.0  # Keras draws the same mask on every replica
        return model
    if kind == "autoencoder":
        model = compression.build_autoencoder(settings(AutoencoderSettings, "test", {"resolution": 16}))
        # SGD: Adam would hide a wrong scale of the loss.
        model.compile(keras.optimizers.SGD(0.001))
        model.optimizer.build(model.trainable_variables)
        return model
    knobs = {"resolution": 16, "average": 0.9}
    if kind == "wgan_gp":
        knobs |= {"variant": "wgan_gp", "d_normalization": "none", "critic_steps": 2}
    else:
        # A gate that closes on some of the six steps and not on others.
        knobs |= {"gate_accuracy": 0.55, "balance": 0.5, "noise_stddev": 0.1}
    return adversarial.build_gan(settings(GANSettings, "test", knobs))


def train(kind):
    """Variables and logs after two epochs of three steps."""
    shapes = boxes(48)
    voxels = shapes.grids()[..., None].astype(np.float32)
    content = (voxels, shapes.labels) if kind == "voxnet" else voxels
    batches = tf.data.Dataset.from_tensor_slices(content).batch(16, drop_remainder=True).repeat()
    model = build(kind)
    history = model.fit(batches, steps_per_epoch=3, epochs=2, verbose=0, shuffle=False).history
    trackers = {id(v) for metric in model.metrics for v in metric.variables}
    return [(v.path, v.numpy()) for v in model.variables if id(v) not in trackers], history


def main():
    """Compares."""
    kind = sys.argv[1]
    with backend.scope("none", virtual_cpus=2):
        one, one_logs = train(kind)
    with backend.scope("mirrored"):
        assert tf.distribute.get_strategy().num_replicas_in_sync == 2
        two, two_logs = train(kind)
    if kind == "gan":
        assert 0 < np.mean(one_logs["d_trained"]) < 1, one_logs["d_trained"]
    for (name, a), (_, b) in zip(one, two, strict=True):
        np.testing.assert_allclose(b, a, rtol=1e-3, atol=2e-5, err_msg=name)
    for name in one_logs:
        if name != "diversity":  # of pairs within each replica
            np.testing.assert_allclose(two_logs[name], one_logs[name], rtol=1e-4, atol=1e-5, err_msg=name)
    print(f"{len(one)} variables and {len(one_logs)} logs are the same")


if __name__ == "__main__":
    main()
