"""The models of the development server: SavedModels in folders of versions, watched for new versions."""

from __future__ import annotations

import dataclasses
import pathlib
from collections.abc import Iterable, Mapping

import numpy as np
import tensorflow as tf
from google.protobuf import text_format
from tensorflow.core.framework.tensor_pb2 import TensorProto
from tensorflow.core.protobuf.error_codes_pb2 import Code
from tensorflow_serving.apis.get_model_status_pb2 import GetModelStatusResponse
from tensorflow_serving.config.model_server_config_pb2 import ModelConfig, ModelServerConfig

from keras3dgan.errors import InputError
from keras3dgan.serving.transport import Model, ServingError


@dataclasses.dataclass(frozen=True)
class Limits:
    """What a request may ask for."""

    batch: int = 128  # shapes
    bytes: int = 64 << 20  # of a request, and of the tensors in a reply; JSON may have a quarter
    seconds: float = 30.0  # until a REST request is there and has its turn
    at_once: int = 16  # requests that are worked on at the same time, on each port
    connection_seconds: float = 300.0  # after which a gRPC connection is renewed, so that clients find new replicas


def refusal(message: str) -> ServingError:
    """The error of a request that no server could answer."""
    return ServingError("INVALID_ARGUMENT", message)


class LoadedModel:
    """The SavedModel at `path`, one version of a model."""

    def __init__(self, version: int, path: pathlib.Path):
        self.version, self._signatures = version, tf.saved_model.load(str(path)).signatures

    def inputs(self, signature: str) -> dict[str, tf.TensorSpec]:
        """What a signature takes, by name; a `ServingError` where there is no such signature."""
        if signature not in self._signatures:
            raise ServingError("FAILED_PRECONDITION", f"Serving signature name: '{signature}' not found.")
        return self._signatures[signature].structured_input_signature[1]

    def predict(self, signature: str, tensors: Mapping[str, TensorProto], limits: Limits) -> dict[str, np.ndarray]:
        """Runs a signature; a `ServingError` where it cannot. Shapes are checked before tensors are unpacked."""
        specs = self.inputs(signature)
        if specs.keys() != tensors.keys():
            raise refusal(f"inputs must be {', '.join(specs)}; got {', '.join(tensors) or 'none'}")
        for name, spec in specs.items():
            shape, wanted = [dim.size for dim in tensors[name].tensor_shape.dim], spec.shape.as_list()
            allowed = [range(limits.batch + 1) if size is None else (size,) for size in wanted]
            if len(shape) != len(wanted) or any(size not in sizes for size, sizes in zip(shape, allowed, strict=True)):
                raise refusal(f"{name}: must be of shape {wanted}, at most {limits.batch} for None; got {shape}")
        try:
            inputs = {k: tf.io.parse_tensor(tensors[k].SerializeToString(), spec.dtype) for k, spec in specs.items()}
            count = inputs.get("count", tf.zeros(1))
            if count.shape.rank == 0 and not 0 <= count <= limits.batch:  # `generate` is told its batch in a scalar
                raise refusal(f"count: must be from 0 to {limits.batch}, got {count}")
            outputs = {name: value.numpy() for name, value in self._signatures[signature](**inputs).items()}
        except tf.errors.OpError as error:
            raise ServingError(Code.Name(error.error_code), error.message) from error
        if (size := sum(value.nbytes for value in outputs.values())) > limits.bytes:
            raise ServingError("RESOURCE_EXHAUSTED", f"a reply of {size} bytes is larger than {limits.bytes}")
        return outputs


def read_config(path: pathlib.Path) -> list[ModelConfig]:
    """Reads a model configuration, relative paths as below its folder; an `InputError` where it is none."""
    try:
        found = text_format.Parse(path.read_text(), ModelServerConfig()).model_config_list.config
    except (OSError, ValueError, text_format.ParseError) as error:
        raise InputError(f"{path}: is no model configuration ({' '.join(str(error).split())}).") from error
    for model in found:
        model.base_path = str(path.parent / model.base_path)
    return [*found]


class Registry:
    """Loads what the configuration asks for, again and again, and finds the model that a request means."""

    def __init__(self, configs: Iterable[ModelConfig]):
        self.configs = {config.name: config for config in configs}
        # Of each model every version that is or was here: loaded, or why it is not.
        # What is served of a model changes in one assignment, so requests need no lock.
        self._versions: dict[str, dict[int, LoadedModel | str]] = {name: {} for name in self.configs}

    def update(self) -> list[str]:
        """Loads and lets go of versions; a sentence, once, on each that does not load, and is tried each time."""
        told: list[str] = []
        for name, config in self.configs.items():
            before, loaded = self._versions[name], self.loaded(name)
            now = _load(config, loaded)
            told += [why for number, why in now.items() if isinstance(why, str) and before.get(number) != why]
            if now and all(isinstance(found, str) for found in now.values()):
                now = {**loaded, **now}  # an old version is better than none
            self._versions[name] = {**dict.fromkeys(before, ""), **now}
        return told

    def loaded(self, name: str) -> dict[int, LoadedModel]:
        """The versions of a model that are served."""
        return {n: found for n, found in self._versions.get(name, {}).items() if isinstance(found, LoadedModel)}

    def find(self, model: Model) -> LoadedModel:
        """The model that a request means; a `ServingError` where it is not here."""
        versions, version = self.loaded(model.name), model.version
        if model.label is not None and model.name in self.configs:
            version = self.configs[model.name].version_labels.get(model.label)
            if version is None:
                raise refusal(f"Unrecognized servable version label: {model.label}")
        found = versions.get(max(versions, default=-1) if version is None else version)
        if found is None:
            raise ServingError("NOT_FOUND", f"Servable not found for request: {model}")
        return found

    def status(self, model: Model) -> GetModelStatusResponse:
        """The versions of a model that are and were here; a `ServingError` if there are none."""
        version = self.find(model).version if model.label is not None else model.version
        reply = GetModelStatusResponse()
        for number, found in self._versions.get(model.name, {}).items():
            if version in (None, number):
                state, reason = ("END", found) if isinstance(found, str) else ("AVAILABLE", "")
                status = {"error_code": "UNKNOWN" if reason else "OK", "error_message": reason}
                reply.model_version_status.add(version=number, state=state, status=status)
        if not reply.model_version_status:
            raise ServingError("NOT_FOUND", f"Could not find any versions of {model}")
        return reply


def _load(config: ModelConfig, before: Mapping[int, LoadedModel]) -> dict[int, LoadedModel | str]:
    """The versions to serve from now on, and why others cannot be; 0 stands for the folder."""
    policy, folder = config.model_version_policy, pathlib.Path(config.base_path)
    latest = None if policy.HasField("all") or policy.HasField("specific") else policy.latest.num_versions or 1
    try:
        names = [path.name for path in folder.iterdir() if path.is_dir()]
    except OSError as error:
        return {0: f"{folder}: cannot be read ({error.strerror}); name a folder of versions."}
    now: dict[int, LoadedModel | str] = {}
    versions = {int(name) for name in names if name.isascii() and name.isdecimal()}
    wanted = versions.intersection(policy.specific.versions) if policy.HasField("specific") else versions
    for version in sorted(wanted, reverse=True):
        path = folder / str(version)
        try:
            now[version] = before.get(version) or LoadedModel(version, path)
        except Exception as error:  # whatever half a copy makes TensorFlow raise; it takes some paths for patterns
            why = f"({type(error).__name__}: {' '.join(str(error).split())[:200]})"
            now[version] = f"{path}: cannot be loaded {why}; copy it whole, to a path without * ? [ \\ in it."
        if sum(isinstance(found, LoadedModel) for found in now.values()) == latest:
            break
    return now
