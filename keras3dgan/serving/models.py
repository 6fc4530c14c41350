"""The models of the development server: SavedModels in versioned folders, watched for new versions."""

from __future__ import annotations

import dataclasses
import functools
import pathlib
import threading
from typing import Any

import numpy as np
import tensorflow as tf
from google.protobuf import text_format
from tensorflow_serving.config import model_server_config_pb2

from keras3dgan.errors import InputError
from keras3dgan.serving.batching import Batcher, BatchingParameters
from keras3dgan.serving.transport import Model, ServingError


class LoadedModel:
    """One version of a model.

    Args:
        name: of the model.
        version: its number.
        path: the SavedModel.
        batching: how to join requests; None to run each by itself.
    """

    def __init__(self, name: str, version: int, path: pathlib.Path, batching: BatchingParameters | None):
        self.name = name
        self.version = version
        self._model = tf.saved_model.load(str(path))
        self.signatures = self._model.signatures
        self._batchers: dict[str, Batcher] = {}
        for signature, function in self.signatures.items():
            specs = self.inputs(signature).values()
            if batching and all(spec.shape.rank and spec.shape[0] is None for spec in specs):
                self._batchers[signature] = Batcher(functools.partial(_run, function), batching)

    def inputs(self, signature: str) -> dict[str, tf.TensorSpec]:
        """Name -> spec of a signature's inputs.

        Raises:
            ServingError: there is no such signature.
        """
        if signature not in self.signatures:
            raise ServingError(
                "FAILED_PRECONDITION", f"Serving signature name: '{signature}' not found in the signature definition."
            )
        return self.signatures[signature].structured_input_signature[1]

    def outputs(self, signature: str) -> dict[str, tf.TensorSpec]:
        """Name -> spec of a signature's outputs."""
        return self.signatures[signature].structured_outputs

    def predict(self, signature: str, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Runs a signature.

        Raises:
            ServingError: the inputs are not those of the signature, or running it failed.
        """
        specs = self.inputs(signature)
        _check(specs, inputs)
        batcher = self._batchers.get(signature)
        return batcher.submit(inputs) if batcher else _run(self.signatures[signature], inputs)

    def close(self) -> None:
        """Ends what joins requests."""
        for batcher in self._batchers.values():
            batcher.close()


def _check(specs: dict[str, tf.TensorSpec], inputs: dict[str, np.ndarray]) -> None:
    if specs.keys() != inputs.keys():
        raise ServingError("INVALID_ARGUMENT", f"inputs must be {', '.join(specs)}, got {', '.join(inputs) or 'none'}.")
    for name, spec in specs.items():
        value = inputs[name]
        if value.dtype != spec.dtype.as_numpy_dtype:
            raise ServingError("INVALID_ARGUMENT", f"{name}: must be {spec.dtype.name}, got {value.dtype}.")
        if not spec.shape.is_compatible_with(value.shape):
            raise ServingError("INVALID_ARGUMENT", f"{name}: must have shape {spec.shape}, got {value.shape}.")


def _run(function: Any, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    try:
        return {name: value.numpy() for name, value in function(**_tensors(inputs)).items()}
    except tf.errors.OpError as error:
        raise ServingError(type(error).__name__.removesuffix("Error").upper(), error.message) from error


def _tensors(inputs: dict[str, np.ndarray]) -> dict[str, tf.Tensor]:
    return {name: tf.constant(value) for name, value in inputs.items()}


@dataclasses.dataclass(frozen=True)
class ModelConfig:
    """What a model server's configuration says of one model.

    Attributes:
        name: of the model.
        base_path: the folder of its versions.
        versions: these versions; empty for the latest `latest`.
        latest: how many of the latest versions; 0 for all.
        labels: names of versions.
    """

    name: str
    base_path: pathlib.Path
    versions: tuple[int, ...] = ()
    latest: int = 1
    labels: dict[str, int] = dataclasses.field(default_factory=dict)

    def wanted(self) -> list[int]:
        """The versions that should be served now."""
        found = sorted(int(p.name) for p in self.base_path.glob("*") if p.name.isdigit() and p.is_dir())
        if self.versions:
            return [version for version in found if version in self.versions]
        return found[-self.latest :] if self.latest else found


def read_config(path: pathlib.Path) -> list[ModelConfig]:
    """Reads TensorFlow Serving's model configuration, `model_config_list { ... }`. Relative paths are below its own folder.

    Raises:
        InputError: it cannot be read.
    """
    config = model_server_config_pb2.ModelServerConfig()
    try:
        text_format.Parse(path.read_text(), config)
    except (OSError, text_format.ParseError) as error:
        raise InputError(f"{path} cannot be read ({' '.join(str(error).split())}).", "model_config_file") from error
    configs = []
    for model in config.model_config_list.config:
        policy = model.model_version_policy
        chosen = policy.WhichOneof("policy_choice")
        latest = 0 if chosen == "all" else policy.latest.num_versions or 1
        versions = tuple(policy.specific.versions) if chosen == "specific" else ()
        base = path.parent / model.base_path
        configs.append(ModelConfig(model.name, base, versions, latest, dict(model.version_labels)))
    return configs


class Registry:
    """Loads what the configuration asks for, again and again, and finds the model that a request means.

    Args:
        configs: of all models.
        batching: how to join requests; None to run each by itself.
    """

    def __init__(self, configs: list[ModelConfig], batching: BatchingParameters | None = None):
        self.configs = {config.name: config for config in configs}
        self.batching = batching
        self._loaded: dict[tuple[str, int], LoadedModel] = {}
        self._ended: dict[str, set[int]] = {}
        self._lock = threading.Lock()

    def update(self) -> None:
        """Loads versions that have come, then lets go of those that are not wanted any more."""
        for config in self.configs.values():
            wanted = config.wanted()
            for version in wanted:
                if (config.name, version) not in self._loaded:
                    path = config.base_path / str(version)
                    model = LoadedModel(config.name, version, path, self.batching)
                    with self._lock:
                        self._loaded[config.name, version] = model
            with self._lock:
                gone = [key for key in self._loaded if key[0] == config.name and key[1] not in wanted]
                for key in gone:
                    self._ended.setdefault(key[0], set()).add(key[1])
                    self._loaded.pop(key).close()

    def find(self, model: Model) -> LoadedModel:
        """The model that a request means.

        Raises:
            ServingError: it is not here.
        """
        with self._lock:
            versions = {version: loaded for (name, version), loaded in self._loaded.items() if name == model.name}
        version = model.version
        if model.label is not None and model.name in self.configs:
            if model.label not in self.configs[model.name].labels:
                raise ServingError("INVALID_ARGUMENT", f"Unrecognized servable version label: {model.label}")
            version = self.configs[model.name].labels[model.label]
        if version is None:
            version = max(versions, default=-1)
        if version not in versions:
            wanted = f", version: {model.version}" if model.version is not None else ""
            raise ServingError("NOT_FOUND", f"Servable not found for request: {model.name}{wanted}")
        return versions[version]

    def has(self, name: str) -> bool:
        """Whether any version of a model is loaded."""
        with self._lock:
            return any(key[0] == name for key in self._loaded)

    def states(self, model: Model) -> dict[int, str]:
        """Version -> `AVAILABLE` or `END`, of one version or of all that are and were here.

        Raises:
            ServingError: there are none.
        """
        with self._lock:
            states = {version: "END" for version in self._ended.get(model.name, ())}
            states |= {version: "AVAILABLE" for name, version in self._loaded if name == model.name}
        version = model.version
        if model.label is not None:
            version = self.find(model).version
        if version is not None:
            states = {number: state for number, state in states.items() if number == version}
        if not states:
            raise ServingError("NOT_FOUND", f"Could not find any versions of model {model.name}")
        return states
