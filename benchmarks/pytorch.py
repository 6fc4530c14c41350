"""Measures the 3D-GAN's training step beside the same networks in PyTorch, alternating in one process on the same threads.

    pip install -e '.[cpu,bench]'
    python benchmarks/pytorch.py --output=results/pytorch.json

Both sides train the same step: Adam on both networks, binary cross entropy, three passes of the discriminator. A third
column is ours with everything that a user may switch on: bfloat16, and a gate that skips the discriminator's update.
"""

import argparse
import os
import shlex
import statistics
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf
import torch
from torch import nn

from keras3dgan.models.blocks import KERNEL, LEAK, stages
from keras3dgan.training import adversarial, presets
from keras3dgan.training.run_directory import write_result

_SIZES = ((32, 64, 100), (32, 128, 100), (64, 64, 25))
_LATENT = 200


def torch_networks(resolution: int, width: int) -> tuple[nn.Module, nn.Module]:
    """Generator and discriminator, layer for layer those of `keras3dgan.models`."""
    count = stages(resolution)
    channels = [max(1, width >> (count - 1 - stage)) for stage in range(count)]
    down: list[nn.Module] = []
    for stage, (before, after) in enumerate(zip([1, *channels], channels, strict=False)):
        down += [nn.Conv3d(before, after, KERNEL, stride=2, padding=1, bias=stage == 0)]
        down += [nn.BatchNorm3d(after)] if stage else []
        down += [nn.LeakyReLU(LEAK)]
    discriminator = nn.Sequential(*down, nn.Flatten(), nn.Linear(8 * width, 1))
    up: list[nn.Module] = [nn.Linear(_LATENT, 8 * width, bias=False), nn.BatchNorm1d(8 * width), nn.ReLU()]
    up += [nn.Unflatten(1, (width, 2, 2, 2))]
    outputs = [*channels[-2::-1], 1]
    for stage, (before, after) in enumerate(zip([width, *outputs], outputs, strict=False)):
        last = stage == count - 1
        up += [nn.ConvTranspose3d(before, after, KERNEL, stride=2, padding=1, bias=last)]
        up += [] if last else [nn.BatchNorm3d(after), nn.ReLU()]
    return nn.Sequential(*up), discriminator


class TorchGAN:
    """The same training step in PyTorch."""

    def __init__(self, resolution: int, width: int):
        self.generator, self.discriminator = torch_networks(resolution, width)
        self.g_optimizer = torch.optim.Adam(self.generator.parameters(), 0.0025, betas=(0.5, 0.999))
        self.d_optimizer = torch.optim.Adam(self.discriminator.parameters(), 0.0001, betas=(0.5, 0.999))

    def step(self, real: torch.Tensor) -> None:
        """Updates the discriminator, then the generator."""
        loss = nn.functional.binary_cross_entropy_with_logits
        count = len(real)
        fake = torch.sigmoid(self.generator(0.33 * torch.randn(count, _LATENT)))
        labels = 0.7 + 0.5 * torch.rand(count, 1), 0.3 * torch.rand(count, 1)
        self.d_optimizer.zero_grad()
        logits = self.discriminator(real), self.discriminator(fake.detach())
        (0.5 * (loss(logits[0], labels[0]) + loss(logits[1], labels[1]))).backward()
        self.d_optimizer.step()
        self.g_optimizer.zero_grad()
        loss(self.discriminator(fake), torch.ones(count, 1)).backward()
        self.g_optimizer.step()


def keras_step(resolution: int, width: int, real: np.ndarray, precision: str, gate: float):
    """A function that trains one step, and the number of its parameters."""
    keras.config.set_dtype_policy(precision)
    knobs = {"resolution": resolution, "width": width, "gate_accuracy": gate, "noise_stddev": 0.0, "average": 0.0}
    gan = adversarial.build_gan(presets.settings(presets.GANSettings, "best", knobs))
    batch = tf.constant(real)
    step = tf.function(gan.train_step)
    return lambda: step(batch), gan.generator.count_params() + gan.discriminator.count_params()


def measure(resolution: int, width: int, batch_size: int, rounds: int) -> dict[str, float]:
    """Milliseconds a step of each, the medians of alternating rounds, and ratios to PyTorch."""
    real = (np.random.default_rng(0).random((batch_size, *(resolution,) * 3, 1)) < 0.05).astype(np.float32)
    ours, weights = keras_step(resolution, width, real, "float32", 2.0)
    # A gate at 0 skips every update of the discriminator: the other end of what a gated training does.
    fast, _ = keras_step(resolution, width, real, "mixed_bfloat16", 2.0)
    gated, _ = keras_step(resolution, width, real, "float32", 0.0)
    theirs = TorchGAN(resolution, width)
    their_real = torch.from_numpy(real).permute(0, 4, 1, 2, 3).contiguous()
    # Moving statistics of batch normalisation are parameters for Keras and buffers for PyTorch.
    parts = [*theirs.generator.parameters(), *theirs.discriminator.parameters()]
    buffers = [b for net in (theirs.generator, theirs.discriminator) for b in net.buffers() if b.ndim]
    if sum(p.numel() for p in (*parts, *buffers)) != weights:
        raise RuntimeError("the two implementations differ")
    steps = {
        "tensorflow": ours,
        "tensorflow_bfloat16": fast,
        "tensorflow_gated": gated,
        "pytorch": lambda: theirs.step(their_real),
    }
    times: dict[str, list[float]] = {name: [] for name in steps}
    for turn in range(rounds + 2):
        for name, step in steps.items():
            begin = time.perf_counter()
            step()
            if turn >= 2:
                times[name].append(time.perf_counter() - begin)
    medians = {name: statistics.median(values) for name, values in times.items()}
    result = {f"{name}_ms": round(1000 * value, 1) for name, value in medians.items()}
    result |= {f"{name}_shapes_per_second": round(batch_size / value, 1) for name, value in medians.items()}
    return result | {
        f"{name}_speed_over_pytorch": round(medians["pytorch"] / value, 2)
        for name, value in medians.items()
        if name != "pytorch"
    }


def main() -> None:
    """Runs everything and writes the JSON file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", required=True, help="JSON file to write")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)), help="of both")
    parser.add_argument("--rounds", type=int, default=9, help="steps of each that are timed")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    tf.config.threading.set_intra_op_parallelism_threads(arguments.threads)
    results = {}
    for resolution, width, batch_size in _SIZES:
        name = f"{resolution}^3, width {width}, batch {batch_size}"
        results[name] = measure(resolution, width, batch_size, arguments.rounds)
        print(f"{name}: {results[name]}", flush=True)
    content = {"threads": arguments.threads, "torch": torch.__version__, "measurements": results}
    write_result(arguments.output, shlex.join(sys.argv), content)
    print(f"wrote {arguments.output}")


if __name__ == "__main__":
    main()
