"""Measures speed and memory: voxelisation, reading, training steps, encoding and decoding.

    python benchmarks/measure.py --output=results/performance.json [--meshes=FOLDER]

Every measurement runs in a process of its own, so that its peak memory is its own.
"""

import argparse
import concurrent.futures
import logging
import multiprocessing
import os
import pathlib
import resource
import shlex
import statistics
import sys
import tempfile
import time

import numpy as np

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

_WIDTHS = {"full width (256)": 256, "quarter width (64)": 64}
_BATCH = 100
_AUGMENTATIONS = ("none", "flip", "rotate", "mirror,shift,stretch")


def measure_voxelisation(meshes: str | None) -> dict:
    """Meshes a second at 32^3 and 64^3, reading the file included."""
    from keras3dgan.voxels import io

    with tempfile.TemporaryDirectory() as folder:
        source = pathlib.Path(meshes) if meshes else _surfaces(pathlib.Path(folder))
        paths = sorted(p for p in source.rglob("*") if p.suffix in (".obj", ".off"))[:100]
        if not paths:
            raise SystemExit(f"--meshes: there is no .obj or .off file in {source}.")
        result: dict = {"meshes": len(paths), "source": "given folder" if meshes else "surfaces of the bundled shapes"}
        for resolution in (32, 64):
            begin = time.perf_counter()
            for path in paths:
                io.read_shape(path, resolution, up="y" if meshes else "z")
            result[f"meshes_per_second_{resolution}"] = round(len(paths) / (time.perf_counter() - begin), 1)
    return result


def _surfaces(folder: pathlib.Path) -> pathlib.Path:
    from keras3dgan import data
    from keras3dgan.voxels import io

    shapes = data.load("furniture_voxels", "test", resolution=64)
    for index in range(100):
        io.write_shape(folder / f"{index:03d}.obj", shapes.grids(index))
    return folder


def measure_reading() -> dict:
    """Shapes a second: as TFDS examples, as packed bytes into memory, and as float batches for training."""
    import tensorflow_datasets as tfds

    from keras3dgan import data

    shapes = data.load("furniture_voxels", "train")
    examples = tfds.load("furniture_voxels/32", split="train").repeat(6).batch(_BATCH).prefetch(2)
    begin = time.perf_counter()
    count = sum(len(batch["volume"]) for batch in examples)
    result = {"tfds_examples_per_second": round(count / (time.perf_counter() - begin))}
    begin = time.perf_counter()
    for _ in range(3):
        data.load("furniture_voxels", "train")
    result["load_packed_per_second"] = round(3 * len(shapes) / (time.perf_counter() - begin))
    for augmentation in _AUGMENTATIONS:
        batches = iter(data.training_batches(shapes, _BATCH, 0, augmentation=augmentation))
        for _ in range(10):
            next(batches)
        begin = time.perf_counter()
        for _ in range(100):
            next(batches)
        result[f"shapes_in_training_batches_per_second_{augmentation}"] = round(
            100 * _BATCH / (time.perf_counter() - begin)
        )
    return result


def measure_step(kind: str, width: int) -> dict:
    """Milliseconds of a training step at 32^3, batch 100: the median of some after the first two."""
    from keras3dgan import models
    from keras3dgan.recipes import autoencoder, gan, voxnet

    data = _voxels(_BATCH)
    if kind == "3D-GAN":
        model = gan.build(gan.RECIPE.make_settings("cpu", width=width, precision="float32"))
        target = None
    elif kind == "VoxNet":
        model, target = voxnet.build(voxnet.VoxNetSettings(), 10), np.zeros(_BATCH, int)
    else:
        settings = autoencoder.RECIPE.make_settings("cpu", width=width, precision="float32")
        model, target = autoencoder.build(settings), None
        if kind == "compressor":
            model = models.GenerativeCompressor(model.encoder, model.decoder, models.VoxNet(10))
        import keras

        model.compile(keras.optimizers.Adam(0.001, beta_1=0.5))
    times = []
    for _ in range(7):
        begin = time.perf_counter()
        model.train_on_batch(data, target)
        times.append(time.perf_counter() - begin)
    step = statistics.median(times[2:])
    return {"step_ms": round(1000 * step), "shapes_per_second": round(_BATCH / step, 1)}


def measure_waiting(augmentation: str) -> dict:
    """How much of a 3D-GAN's training time at quarter width the step waits for its batch."""
    from keras3dgan import data
    from keras3dgan.recipes import gan

    shapes = data.load("furniture_voxels", "train")
    batches = iter(data.training_batches(shapes, _BATCH, 0, augmentation=augmentation))
    model = gan.build(gan.RECIPE.make_settings("cpu", precision="float32"))
    waited, begin = 0.0, 0.0
    for turn in range(23):
        if turn == 3:
            waited, begin = 0.0, time.perf_counter()
        asked = time.perf_counter()
        batch = next(batches)
        waited += time.perf_counter() - asked
        model.train_on_batch(batch)
    share = waited / (time.perf_counter() - begin)
    return {"waiting_percent": round(100 * share, 2), "steps": 20}


def measure_flags() -> dict:
    """A 3D-GAN's step in bfloat16, and compiled by XLA, beside the plain one: alternating, as ratios.

    At width 16 and 20 shapes: XLA takes minutes a step for more on a CPU.
    """
    from keras3dgan.recipes import gan
    from keras3dgan.training import loop

    data = _voxels(20)
    models = {}
    for name, knobs in {
        "float32": {"precision": "float32"},
        "bfloat16": {"precision": "mixed_bfloat16"},
        "xla": {"xla": True},
    }.items():
        settings = gan.RECIPE.make_settings("cpu", **{"width": 16, "precision": "float32", **knobs})
        with loop.prepared(settings):
            models[name] = gan.build(settings)
    times: dict[str, list[float]] = {name: [] for name in models}
    for turn in range(5):
        for name, model in models.items():
            begin = time.perf_counter()
            model.train_on_batch(data)
            if turn >= 2:
                times[name].append(time.perf_counter() - begin)
    medians = {name: statistics.median(values) for name, values in times.items()}
    result: dict = {f"{name}_ms": round(1000 * value) for name, value in medians.items()}
    return result | {
        f"{name}_speed_ratio": round(medians["float32"] / medians[name], 3) for name in ("bfloat16", "xla")
    }


def measure_codec(width: int) -> dict:
    """Milliseconds a shape to encode and to decode, grid to bytes and back, alone and in a batch of 100."""
    from keras3dgan import models
    from keras3dgan.codec.latent import neural
    from keras3dgan.codec.latent.entropy_coder import EntropyCoder
    from keras3dgan.models.fingerprint import fingerprint

    encoder, decoder = models.Encoder(width=width), models.Generator(width=width)
    grids = (_voxels(_BATCH)[..., 0] > 0.5).astype(np.uint8)
    latents = neural.analyse(encoder.predict_on_batch, grids)
    coder = EntropyCoder.fit(latents, float(latents.std()) / 4, 32, fingerprint(decoder))
    codec = neural.NeuralCodec(encoder, decoder, [coder])
    streams = codec.encode(grids)
    codec.decode(streams)
    result = {}
    for count, repeats in ((1, 30), (_BATCH, 5)):
        encode, decode = [], []
        for _ in range(repeats):
            begin = time.perf_counter()
            codec.encode(grids[:count])
            middle = time.perf_counter()
            codec.decode(streams[:count])
            encode.append(middle - begin)
            decode.append(time.perf_counter() - middle)
        result[f"encode_ms_batch_{count}"] = round(1000 * statistics.median(encode) / count, 2)
        result[f"decode_ms_batch_{count}"] = round(1000 * statistics.median(decode) / count, 2)
    return result


def _voxels(count: int) -> np.ndarray:
    from keras3dgan import data

    return data.load("furniture_voxels", "train").grids(slice(0, count))[..., None].astype(np.float32)


def _alone(function, *arguments) -> dict:
    """Runs a measurement in a fresh process and adds that process's peak memory."""
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(1, mp_context=context) as pool:
        return pool.submit(_with_memory, function, arguments).result()


def _with_memory(function, arguments) -> dict:
    logging.disable(logging.WARNING)
    begin = time.perf_counter()
    result = function(*arguments)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {**result, "peak_memory_mib": round(peak), "seconds": round(time.perf_counter() - begin, 1)}


def main() -> None:
    """Runs everything and writes the JSON file."""
    from keras3dgan.provenance import write_result

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", required=True, help="JSON file to write")
    parser.add_argument("--meshes", help="folder of .obj or .off files, y up, to voxelise instead of bundled shapes")
    arguments = parser.parse_args()
    jobs = {"voxelisation": (measure_voxelisation, arguments.meshes), "reading": (measure_reading,)}
    jobs["step: VoxNet"] = (measure_step, "VoxNet", 0)
    for name, width in _WIDTHS.items():
        for kind in ("3D-GAN", "compressor", "autoencoder"):
            jobs[f"step: {kind}, {name}"] = (measure_step, kind, width)
        jobs[f"codec, {name}"] = (measure_codec, width)
    for augmentation in _AUGMENTATIONS:
        jobs[f"waiting for batches, {augmentation}"] = (measure_waiting, augmentation)
    jobs["precision and XLA, width 16, 20 shapes"] = (measure_flags,)
    results = {}
    for name, job in jobs.items():
        results[name] = _alone(*job)
        print(f"{name}: {results[name]}", flush=True)
    write_result(arguments.output, shlex.join(sys.argv), {"measurements": results})
    print(f"wrote {arguments.output}")


if __name__ == "__main__":
    main()
