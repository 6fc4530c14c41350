"""Step time of every model on Keras's TensorFlow and JAX backends, alternating, each backend in a process of its own.

python benchmarks/backends.py --output=results/backends.json [--width=64 --batch_size=100 --steps=5 --rounds=3]

XLA's 3D convolutions on a CPU take minutes at such sizes; there --width=8 --batch_size=8 says enough.
"""

import argparse
import json
import os
import shlex
import statistics
import subprocess
import sys
import time

MODELS = ("3D-GAN", "WGAN-GP", "autoencoder", "compressor", "VoxNet")


def build(name: str, width: int, batch_size: int):
    """The compiled model at 32^3, as the commands build it."""
    import keras

    from keras3dgan import backend
    from keras3dgan.models import GenerativeCompressor, VoxNet
    from keras3dgan.recipes import autoencoder, gan, voxnet

    if name in ("3D-GAN", "WGAN-GP"):
        preset = "gan" if name == "3D-GAN" else "wgan_gp"
        return gan.build(gan.RECIPE.make_settings(preset, width=width, batch_size=batch_size), 0.05)
    if name == "VoxNet":
        filters = max(1, width // 8)  # the report's 32 at its width of 256
        return voxnet.build(voxnet.RECIPE.make_settings("report", filters=filters), 5)
    model = autoencoder.build(autoencoder.RECIPE.make_settings("report", width=width))
    if name == "compressor":
        model = GenerativeCompressor(model.encoder, model.decoder, VoxNet(5, filters=max(1, width // 8)))
    model.compile(keras.optimizers.Adam(0.001), jit_compile=backend.jit_compile(False))
    model.optimizer.build(model.trainable_variables)
    return model


def serve(width: int, batch_size: int, steps: int) -> None:
    """Trains the model that each line of stdin names, and answers with its seconds a step."""
    import jax
    import keras
    import numpy as np

    voxels = (np.random.default_rng(0).random((batch_size, 32, 32, 32, 1)) < 0.05).astype(np.float32)
    labels = np.arange(batch_size) % 5
    models = {}

    def batches(labelled):
        while True:
            yield (voxels, labels) if labelled else (voxels,)

    def train(name, count):
        models[name].fit(batches(name == "VoxNet"), steps_per_epoch=count, verbose=0, shuffle=False)

    on_jax = keras.backend.backend() == "jax"
    print(json.dumps(str(jax.devices()[0].device_kind) if on_jax else "cpu"), flush=True)
    for line in sys.stdin:
        name = line.strip()
        if name not in models:
            models[name] = build(name, width, batch_size)
            train(name, 1)
        begin = time.perf_counter()
        train(name, steps)
        print(json.dumps((time.perf_counter() - begin) / steps), flush=True)


def start(backend: str, arguments: argparse.Namespace) -> subprocess.Popen:
    """A process that serves this backend."""
    flags = [f"--{name}={getattr(arguments, name)}" for name in ("width", "batch_size", "steps")]
    return subprocess.Popen(
        [sys.executable, __file__, "--serve", *flags],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"},
    )


def ask(process: subprocess.Popen, line: str) -> float:
    """The seconds that a serving process answers."""
    process.stdin.write(line + "\n")
    process.stdin.flush()
    return json.loads(process.stdout.readline())


def main() -> None:
    """Runs everything and writes the JSON file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", help="JSON file to write")
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--batch_size", type=int, default=100)
    parser.add_argument("--steps", type=int, default=5, help="of each model in a round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--backends", default="tensorflow,jax", help="one alone where the other is not installed")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        serve(arguments.width, arguments.batch_size, arguments.steps)
        return
    if not arguments.output:
        parser.error("--output: name the JSON file to write")
    processes = {backend: start(backend, arguments) for backend in arguments.backends.split(",")}
    devices = {backend: json.loads(process.stdout.readline()) for backend, process in processes.items()}
    rows = {}
    for model in MODELS:
        times: dict[str, list[float]] = {backend: [] for backend in processes}
        for _ in range(arguments.rounds):
            for backend, process in processes.items():
                times[backend].append(ask(process, model))
        medians = {backend: statistics.median(values) for backend, values in times.items()}
        rows[model] = {f"{backend}_ms": round(1000 * value, 1) for backend, value in medians.items()}
        rows[model] |= {
            f"{backend}_shapes_per_second": round(arguments.batch_size / value, 1) for backend, value in medians.items()
        }
        if len(medians) == 2:
            rows[model]["jax_over_tensorflow_time"] = round(medians["jax"] / medians["tensorflow"], 2)
        print(f"{model}: {rows[model]}", flush=True)
    for process in processes.values():
        process.stdin.close()
    from keras3dgan.provenance import write_result

    content = {"width": arguments.width, "batch_size": arguments.batch_size, "devices": devices, "step_times": rows}
    write_result(arguments.output, shlex.join(sys.argv), content)
    print(f"wrote {arguments.output}")


if __name__ == "__main__":
    main()
