"""Trains every model for a few steps and writes what came of it. Run by tests, on a backend and on one or two devices."""

import sys

import keras
import numpy as np
from keras import ops

from keras3dgan import backend, data
from keras3dgan.codec.latent.neural import NeuralCodec
from keras3dgan.models.adversarial.voxel_r3gan import VoxelR3GAN
from keras3dgan.models.generative_compressor import GenerativeCompressor
from keras3dgan.models.generator import Generator
from keras3dgan.models.noise import Noise
from keras3dgan.models.picture_encoder import PictureEncoder
from keras3dgan.models.picture_to_latents import PictureToLatents
from keras3dgan.models.voxnet import VoxNet
from keras3dgan.recipes import autoencoder, gan, vae_gan, voxnet
from keras3dgan.training.latent_space import LatentSpace
from tests.conftest import boxes

RESOLUTION, BATCH, EPOCHS, STEPS = 16, 8, 2, 5


def build(kind):
    """A compiled model that uses everything its kind has."""
    small = {"resolution": RESOLUTION, "width": 8}
    if kind == "voxnet":
        model = voxnet.build(voxnet.RECIPE.make_settings("test", resolution=RESOLUTION), 2)
        compile_with_sgd(model)
        for layer in model.layers:
            if isinstance(layer, keras.layers.Dropout):
                layer.rate = 0.0  # the backends draw other masks, and Keras the same on every replica
        return model
    if kind in ("autoencoder", "compressor"):
        model = autoencoder.build(autoencoder.RECIPE.make_settings("test", **small))
        if kind == "compressor":
            model = GenerativeCompressor(model.encoder, model.decoder, VoxNet(2, RESOLUTION, 4), lambda_rate=0.01)
        compile_with_sgd(model)
        return model
    knobs = {**small, "average": 0.9}
    if kind == "latent":
        sgd = {"d_optimizer": "sgd", "g_optimizer": "sgd", "average": 0.9, "width": 16}
        return gan.build(gan.RECIPE.make_settings("latent", **sgd), latents=latent_space())
    if kind == "pictures":
        model = PictureToLatents(PictureEncoder(32, 16, 16), Generator(RESOLUTION, 16, 8), 1.5)
        compile_with_sgd(model)
        return model
    if kind == "vae_gan":
        knobs |= {"g_optimizer": "sgd", "d_optimizer": "sgd", "alpha1": 0.01}
        model = vae_gan.build(vae_gan.RECIPE.make_settings("test", **knobs))
        # Adam turns rounding into steps where there is no slope, as behind an encoder that has learnt nothing yet.
        model.compile(model.g_optimizer, model.d_optimizer, keras.optimizers.SGD(0.001))
        return model
    if kind == "readings":
        knobs |= {"joint_batch": True, "centered": True, "swapped_labels": 0.2, "generator_labels": (0.7, 1.2)}
        knobs |= {"d_normalization": "batch", "d_optimizer": "sgd", "g_optimizer": "sgd", "momentum": 0.9}
    elif kind != "gan":
        knobs |= {"variant": kind, "d_normalization": "none", "d_optimizer": "sgd", "g_optimizer": "sgd"}
        knobs |= (
            {"critic_steps": 2, "critic_first": 3} if kind == "wgan_gp" else {"diff_augment": "mirror,shift,cutout"}
        )
    else:
        # A gate that closes on some of the steps and not on others.
        knobs |= {"gate_accuracy": 0.5, "balance": 0.5, "noise_stddev": 0.1}
    return gan.build(gan.RECIPE.make_settings("test", **knobs))


def latent_space():
    """Of latents that nothing was encoded to."""
    decoder = VoxNet(2, RESOLUTION, 4)  # which is not called
    codec = NeuralCodec(decoder, decoder, [])
    return LatentSpace(codec, np.random.default_rng(0).normal(size=(24, 12)).astype(np.float32), copies=1)


def compile_with_sgd(model):
    """Adam, which the 3D-GAN has here, hides a wrong scale of the loss, and turns rounding into steps where there is no slope."""
    model.compile(keras.optimizers.SGD(0.001), jit_compile=backend.jit_compile(False))
    model.optimizer.build(model.trainable_variables)


def same_start(model):
    """Weights that are the same on every backend, whose initialisers draw differently."""
    rng = np.random.default_rng(0)
    for variable in model.weights:
        # A penalty at real shapes sees what a leaky ReLU does at 0, which the backends differ in, wherever a bias is 0.
        if len(variable.shape) > 1 or (isinstance(model, VoxelR3GAN) and "bias" in variable.path):
            variable.assign(rng.normal(0, 0.05, variable.shape).astype(np.float32))
    if getattr(model, "average_generator", None):
        model.average_generator.set_weights(model.generator.get_weights())


def same_noise():
    """Replaces what a model draws, since the random streams of the backends differ, by waves that advance with every draw."""

    def wave(model, count, shape):
        draw = ops.cast(model.random.next()[1], "float32")
        if count is None:  # the same everywhere
            return ops.sin(0.7 * ops.reshape(ops.arange(int(np.prod(shape)), dtype="float32"), shape) + 1.3 * draw)
        total = count * backend.replicas()
        # Modest arguments: the backends reduce large ones to other sines.
        phase = ops.reshape(ops.arange(total * int(np.prod(shape)), dtype="float32") % 97.0, (total, *shape))
        return backend.own_rows(ops.sin(0.7 * phase + 1.3 * draw), count)

    def normal(model, count, shape, stddev):
        return stddev * np.sqrt(2) * wave(model, count, shape)

    def uniform(model, count, shape, low, high):
        return low + (high - low) * (wave(model, count, shape) + 1) / 2

    Noise.random_normal, Noise.random_uniform = normal, uniform


def train(kind):
    """Variables and logs after `EPOCHS` epochs."""
    keras.utils.set_random_seed(0)
    model = build(kind)
    same_start(model)
    shapes = boxes(24, RESOLUTION)
    if kind in ("vae_gan", "pictures"):
        rng = np.random.default_rng(0)
        views = rng.integers(0, 256, (24, 3, 32, 32, 4), dtype=np.uint8)
        latents = rng.normal(size=(2, 24, 16)).astype(np.float32) if kind == "pictures" else None
        batches = data.picture_batches(shapes, views, BATCH, 0, latents=latents)
    elif kind == "latent":
        batches = latent_space().batches(BATCH, 0)(0)
    else:
        batches = data.training_batches(shapes, BATCH, 0, with_labels=kind == "voxnet")
    history = model.fit(batches, steps_per_epoch=STEPS, epochs=EPOCHS, verbose=0, shuffle=False).history
    trackers = {id(v) for metric in model.metrics for v in metric.variables}
    values = {f"value {v.path}": v.numpy() for v in model.variables if id(v) not in trackers}
    values |= {f"optimizer {i}": v.numpy() for i, v in enumerate(model.optimizer.variables)}
    return {**values, **{f"log {name}": value for name, value in history.items()}}


def main(strategy, folder, kinds):
    """Writes `<kind>.npz` for some kinds, by comma."""
    with backend.scope(strategy, virtual_cpus=2):
        assert backend.device_count() == (2 if strategy == "mirrored" else 1)
        same_noise()
        for kind in kinds.split(","):
            np.savez(f"{folder}/{kind}.npz", **train(kind))


if __name__ == "__main__":
    main(*sys.argv[1:])
