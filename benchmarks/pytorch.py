"""Measures the 3D-GAN's training step beside the same networks in PyTorch, alternating on the same threads.

    pip install -e '.[cpu,bench]'
    python benchmarks/pytorch.py --output=results/pytorch.json

Both train the same step: Adam on both networks, binary cross entropy with smoothed labels, three passes of the discriminator,
in float32 and in bfloat16. A further column is ours with the gate, here one that skips every update of the discriminator. Each
library has a process of its own, since both in one do not load; only one works at a time.
"""

import argparse
import concurrent.futures
import multiprocessing
import os
import shlex
import statistics
import sys
import time

import numpy as np

import keras3dgan  # noqa: F401  before TensorFlow, which it tells to take oneDNN

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

# Resolution, width, batch size.
_SIZES = ((32, 64, 100), (32, 128, 100), (32, 256, 100), (64, 64, 25))
_OURS = {
    "tensorflow": {},
    "tensorflow_bfloat16": {"precision": "mixed_bfloat16"},
    "tensorflow_gated": {"gate_accuracy": 0.0},
}
_THEIRS = {"pytorch": False, "pytorch_bfloat16": True}
_LATENT, _KERNEL, _LEAK = 200, 4, 0.2
# What a process has prepared: name -> function that trains one step.
_steps: dict = {}


def prepare_tensorflow(resolution: int, width: int, batch_size: int, threads: int) -> int:
    """Builds our 3D-GANs in this process and returns the number of their parameters."""
    import tensorflow as tf

    from keras3dgan.recipes import gan
    from keras3dgan.training import loop

    if not _steps:
        tf.config.threading.set_intra_op_parallelism_threads(threads)
    batch = tf.constant(_shapes(resolution, batch_size))
    for name, knobs in _OURS.items():
        knobs = {"resolution": resolution, "width": width, "noise_stddev": 0.0, "average": 0.0, **knobs}
        settings = gan.RECIPE.make_settings("gan", **{"precision": "float32", **knobs})
        with loop.prepared(settings):
            model = gan.build(settings)
        step = tf.function(model.train_step)
        _steps[name] = lambda step=step: step(batch)
    return model.generator.count_params() + model.discriminator.count_params()


def prepare_pytorch(resolution: int, width: int, batch_size: int, threads: int) -> int:
    """The same networks and steps in PyTorch."""
    import torch

    torch.set_num_threads(threads)
    for name, bfloat16 in _THEIRS.items():
        count = _prepare_pytorch_step(name, resolution, width, batch_size, bfloat16)
    return count


def _prepare_pytorch_step(name: str, resolution: int, width: int, batch_size: int, bfloat16: bool) -> int:
    import torch
    from torch.nn.functional import binary_cross_entropy_with_logits as loss

    generator, discriminator = torch_networks(resolution, width)
    g_optimizer = torch.optim.Adam(generator.parameters(), 0.0025, betas=(0.5, 0.999))
    d_optimizer = torch.optim.Adam(discriminator.parameters(), 0.0003, betas=(0.5, 0.999))
    real = torch.from_numpy(_shapes(resolution, batch_size)).permute(0, 4, 1, 2, 3).contiguous()

    def forward(network, value):
        with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
            return network(value).float()

    def step() -> None:
        fake = torch.sigmoid(forward(generator, 0.33 * torch.randn(batch_size, _LATENT)))
        labels = 0.7 + 0.5 * torch.rand(batch_size, 1), 0.3 * torch.rand(batch_size, 1)
        d_optimizer.zero_grad()
        on_real, on_fake = forward(discriminator, real), forward(discriminator, fake.detach())
        (0.5 * (loss(on_real, labels[0]) + loss(on_fake, labels[1]))).backward()
        d_optimizer.step()
        g_optimizer.zero_grad()
        loss(forward(discriminator, fake), torch.ones(batch_size, 1)).backward()
        g_optimizer.step()

    _steps[name] = step
    # Moving statistics of batch normalisation are parameters for Keras and buffers for PyTorch.
    parts = [p for net in (generator, discriminator) for p in (*net.parameters(), *net.buffers()) if p.ndim]
    return sum(p.numel() for p in parts)


def torch_networks(resolution: int, width: int):
    """Generator and discriminator in PyTorch, layer for layer those of `keras3dgan.models`."""
    from torch import nn

    count = resolution.bit_length() - 2
    channels = [max(1, width >> (count - 1 - stage)) for stage in range(count)]
    down: list = []
    for stage, (before, after) in enumerate(zip([1, *channels], channels, strict=False)):
        down += [nn.Conv3d(before, after, _KERNEL, stride=2, padding=1, bias=stage == 0)]
        down += [nn.BatchNorm3d(after)] if stage else []
        down += [nn.LeakyReLU(_LEAK)]
    up: list = [nn.Linear(_LATENT, 8 * width, bias=False), nn.BatchNorm1d(8 * width), nn.ReLU()]
    up += [nn.Unflatten(1, (width, 2, 2, 2))]
    outputs = [*channels[-2::-1], 1]
    for stage, (before, after) in enumerate(zip([width, *outputs], outputs, strict=False)):
        last = stage == count - 1
        up += [nn.ConvTranspose3d(before, after, _KERNEL, stride=2, padding=1, bias=last)]
        up += [] if last else [nn.BatchNorm3d(after), nn.ReLU()]
    return nn.Sequential(*up), nn.Sequential(*down, nn.Flatten(), nn.Linear(8 * width, 1))


def timed_step(name: str) -> float:
    """Seconds that a prepared step takes."""
    begin = time.perf_counter()
    _steps[name]()
    return time.perf_counter() - begin


def torch_version() -> str:
    """Of the PyTorch in this process."""
    import torch

    return torch.__version__


def _shapes(resolution: int, batch_size: int) -> np.ndarray:
    return (np.random.default_rng(0).random((batch_size, *(resolution,) * 3, 1)) < 0.05).astype(np.float32)


def measure(ours, theirs, sizes: tuple[int, int, int], threads: int, rounds: int) -> dict[str, float]:
    """Milliseconds a step of each, the medians of alternating rounds, and speeds over PyTorch's in float32."""
    weights = [
        pool.submit(prepare, *sizes, threads).result()
        for pool, prepare in ((ours, prepare_tensorflow), (theirs, prepare_pytorch))
    ]
    if weights[0] != weights[1]:
        raise RuntimeError(f"the two implementations differ: {weights[0]} and {weights[1]} parameters")
    pools = {**dict.fromkeys(_OURS, ours), **dict.fromkeys(_THEIRS, theirs)}
    times: dict[str, list[float]] = {name: [] for name in pools}
    for turn in range(rounds + 2):
        for name, pool in pools.items():
            seconds = pool.submit(timed_step, name).result()
            if turn >= 2:
                times[name].append(seconds)
    medians = {name: statistics.median(values) for name, values in times.items()}
    result: dict[str, float] = {"parameters": weights[0]}
    for name, value in medians.items():
        result[f"{name}_ms"] = round(1000 * value, 1)
        result[f"{name}_shapes_per_second"] = round(sizes[2] / value, 1)
        result[f"{name}_speed_over_pytorch"] = round(medians["pytorch"] / value, 2)
    return result


def main() -> None:
    """Runs everything and writes the JSON file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", required=True, help="JSON file to write")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)), help="of both")
    parser.add_argument("--rounds", type=int, default=9, help="steps of each that are timed")
    arguments = parser.parse_args()
    context = multiprocessing.get_context("spawn")
    results = {}
    with (
        concurrent.futures.ProcessPoolExecutor(1, mp_context=context) as ours,
        concurrent.futures.ProcessPoolExecutor(1, mp_context=context) as theirs,
    ):
        for sizes in _SIZES:
            name = f"{sizes[0]}^3, width {sizes[1]}, batch {sizes[2]}"
            results[name] = measure(ours, theirs, sizes, arguments.threads, arguments.rounds)
            print(f"{name}: {results[name]}", flush=True)
        content = {
            "threads": arguments.threads,
            "torch": theirs.submit(torch_version).result(),
            "measurements": results,
        }
    from keras3dgan.provenance import write_result

    write_result(arguments.output, shlex.join(sys.argv), content)
    print(f"wrote {arguments.output}")


if __name__ == "__main__":
    main()
