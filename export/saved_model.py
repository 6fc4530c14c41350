"""Writes SavedModels in TensorFlow Serving's layout: `<output>/<part>/<version>/`."""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import shutil
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras3dgan.errors import InputError
from keras3dgan.export import signatures
from keras3dgan.models.fingerprint import fingerprint
from keras3dgan.provenance import environment
from keras3dgan.recipes import offer
from keras3dgan.runs import Run
from keras3dgan.training.recipe import Part

# For --enable_per_model_batching_parameters, by which a server joins requests of this model only if it has such a file.
_BATCHING = """max_batch_size { value: 32 }
batch_timeout_micros { value: 2000 }
max_enqueued_batches { value: 64 }
"""


@dataclasses.dataclass(frozen=True)
class ServedPart:
    """A part of a run as it is served.

    Attributes:
        part: the part.
        model: one input and one output, in occupancy where the part's ends in logits.
        signatures: what it can be asked.
    """

    part: Part
    model: keras.Model
    signatures: signatures.Signatures

    @property
    def name(self) -> str:
        """Its folder, and its name on a server."""
        return self.part.name


def parts_of(run: Run) -> list[ServedPart]:
    """The parts of a run, in the order in which servers may learn of them.

    Raises:
        InputError: the run is missing, offers nothing to export, or has not finished its training.
    """
    parts = offer(run, "parts")
    run.finished("model")
    return [_served(part) for part in parts(run)]


def _served(part: Part) -> ServedPart:
    model = _ending_in_occupancy(part.model) if part.role in ("generator", "decoder") else part.model
    return ServedPart(part, model, signatures.BY_ROLE[part.role](model, part))


def _ending_in_occupancy(model: keras.Model) -> keras.Model:
    occupancy = keras.layers.Activation("sigmoid", dtype="float32", name="occupancy")(model.output)
    return keras.Model(model.input, occupancy, name=model.name)


def next_version(output: pathlib.Path, parts: Sequence[ServedPart]) -> int:
    """One more than the highest version of any of these parts, so that what belongs together has one number."""
    found = [int(p.stem) for part in parts for p in (output / part.name).glob("*") if p.stem.isdigit()]
    return max(found, default=0) + 1


def write(run: Run, output: pathlib.Path, warmup: bool = True) -> list[pathlib.Path]:
    """Exports all parts of a run, each written beside its place and moved there whole.

    Args:
        run: a finished run of any training.
        output: the folder that a server watches.
        warmup: whether to add requests that a server runs before it says that it is ready; needs tensorflow-serving-api.

    Returns:
        The folders written, `<output>/<part>/<version>`.

    Raises:
        InputError: the run is missing or has not finished, or tensorflow-serving-api is not installed.
    """
    parts = parts_of(run)
    version = next_version(output, parts)
    written = []
    for part in parts:
        place = output / part.name / str(version)
        temporary = place.with_name(f".{version}.{os.getpid()}.tmp")
        temporary.parent.mkdir(parents=True, exist_ok=True)
        try:
            _write_part(part, run, temporary, warmup)
            os.rename(temporary, place)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
        written.append(place)
    return written


def _write_part(part: ServedPart, run: Run, folder: pathlib.Path, warmup: bool) -> None:
    archive = keras.export.ExportArchive()
    archive.track(part.model)
    for name, (function, inputs) in part.signatures.items():
        archive.add_endpoint(name, function, input_signature=inputs)
    archive.write_out(str(folder), verbose=False)
    assets = folder / "assets"
    assets.mkdir(exist_ok=True)
    (assets / "model.json").write_text(json.dumps(_card(part, run), indent=1) + "\n")
    if part.part.coder:
        (assets / "coder.npz").write_bytes(part.part.coder.to_bytes())
    if all(spec.shape.rank for _, inputs in part.signatures.values() for spec in inputs):
        (folder / "batching_params.pbtxt").write_text(_BATCHING)
    if warmup:
        _write_warmup(part, folder / "assets.extra" / "tf_serving_warmup_requests")


def _card(part: ServedPart, run: Run) -> dict[str, Any]:
    """What `assets/model.json` says."""
    config = run.config()
    return {
        "part": part.name,
        "kind": config["kind"],
        "settings": config["settings"],
        "fingerprint": fingerprint(part.model).hex(),
        "codec": part.part.coder.fingerprint.hex() if part.part.coder else None,
        "threshold": signatures.THRESHOLD,
        "trained": {key: config[key] for key in ("commit", "versions", "hardware")},
        "exported": environment(),
    }


def examples(inputs: Sequence[tf.TensorSpec]) -> dict[str, np.ndarray]:
    """A valid request of one shape: zeros."""
    return {
        spec.name: np.zeros([1 if n is None else n for n in spec.shape], spec.dtype.as_numpy_dtype) for spec in inputs
    }


def _write_warmup(part: ServedPart, path: pathlib.Path) -> None:
    try:
        from tensorflow_serving.apis import prediction_log_pb2
    except ModuleNotFoundError as error:
        raise InputError(
            "needs tensorflow-serving-api; type pip install --no-deps tensorflow-serving-api, or go without.",
            "warmup",
        ) from error
    path.parent.mkdir()
    with tf.io.TFRecordWriter(str(path)) as writer:
        for name, (_, inputs) in part.signatures.items():
            log = prediction_log_pb2.PredictionLog()
            request = log.predict_log.request
            request.model_spec.name, request.model_spec.signature_name = part.name, name
            for key, value in examples(inputs).items():
                request.inputs[key].CopyFrom(tf.make_tensor_proto(value))
            writer.write(log.SerializeToString())
