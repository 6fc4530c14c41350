"""The models of the development server: SavedModels in folders of versions, watched for new versions."""

from __future__ import annotations

import dataclasses
import pathlib
from collections.abc import Iterable, Mapping

import grpc
import numpy as np
import tensorflow as tf
from google.protobuf import text_format
from tensorflow.core.framework.tensor_pb2 import TensorProto
from tensorflow.core.protobuf.meta_graph_pb2 import TensorInfo
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel
from tensorflow_serving.config.model_server_config_pb2 import ModelConfig, ModelServerConfig

from keras3dgan.errors import InputError
from keras3dgan.serving.transport import Model, ServingError


@dataclasses.dataclass(frozen=True)
class Limits:
    """What a request may ask for."""

    batch: int = 128  # shapes
    bytes: int = 64 << 20  # of a request, and of the tensors in a reply
    seconds: float = 30.0  # until a REST request is there and has its turn; over gRPC the client's deadline counts
    at_once: int = 16  # requests that are worked on at the same time, on each port


DEFAULT_LIMITS = Limits()


class LoadedModel:
    """The SavedModel at `path`, one version of a model.

    Attributes:
        definitions: the messages that describe its signatures, by name.
    """

    def __init__(self, name: str, version: int, path: pathlib.Path):
        self.name, self.version = name, version
        content = (path / "saved_model.pb").read_bytes()
        self.definitions = SavedModel.FromString(content).meta_graphs[0].signature_def
        self._model = tf.saved_model.load(str(path))

    def inputs(self, signature: str) -> Mapping[str, TensorInfo]:
        """The messages that describe a signature's inputs; a `ServingError` where there is no such signature."""
        if signature not in self._model.signatures:
            raise ServingError("FAILED_PRECONDITION", f"Serving signature name: '{signature}' not found.")
        return self.definitions[signature].inputs

    def predict(self, signature: str, given: Mapping[str, TensorProto], limits: Limits) -> dict[str, np.ndarray]:
        """Runs a signature. Its inputs are checked before there are arrays of them.

        Raises:
            ServingError: they are not the signature's or ask for too much, or running failed.
        """
        specs = self.inputs(signature)
        if specs.keys() != given.keys():
            raise _refusal(f"inputs must be {', '.join(specs)}; got {', '.join(given) or 'none'}")
        for name, spec in specs.items():
            _check(name, given[name], spec, limits.batch)
        try:
            inputs = {name: tf.make_ndarray(value) for name, value in given.items()}
        except (ValueError, TypeError, OverflowError) as error:
            raise _refusal(f"malformed tensor: {error}") from error
        count = inputs.get("count", np.zeros(1))
        if count.ndim == 0 and count > limits.batch:  # `generate` is told its batch in a scalar
            raise _refusal(f"count: {count} at once; at most {limits.batch}")
        try:
            found = self._model.signatures[signature](**{name: tf.constant(value) for name, value in inputs.items()})
            outputs = {name: value.numpy() for name, value in found.items()}
        except tf.errors.OpError as error:
            code = next((code.name for code in grpc.StatusCode if code.value[0] == error.error_code), "INTERNAL")
            raise ServingError(code, error.message) from error
        if (size := sum(value.nbytes for value in outputs.values())) > limits.bytes:
            raise ServingError("RESOURCE_EXHAUSTED", f"a reply of {size} bytes is larger than {limits.bytes}")
        return outputs


def _check(name: str, given: TensorProto, spec: TensorInfo, batch: int) -> None:
    shape, wanted = ([dim.size for dim in message.tensor_shape.dim] for message in (given, spec))
    pairs = [*zip(shape, wanted, strict=False)]
    fits = len(shape) == len(wanted) and all(size >= 0 and want in (-1, size) for size, want in pairs)
    if given.dtype != spec.dtype or not fits:
        raise _refusal(
            f"{name}: must be {tf.as_dtype(spec.dtype).name} of shape {wanted}, -1 for the batch; got {shape}"
        )
    if (count := max((size for size, want in pairs if want == -1), default=0)) > batch:
        raise _refusal(f"{name}: {count} at once; at most {batch}")


def _refusal(message: str) -> ServingError:
    return ServingError("INVALID_ARGUMENT", message)


def read_config(path: pathlib.Path) -> list[ModelConfig]:
    """Reads TensorFlow Serving's model configuration. Relative paths are below its own folder.

    Raises:
        InputError: it cannot be read.
    """
    config = ModelServerConfig()
    try:
        text_format.Parse(path.read_text(), config)
    except (OSError, ValueError, text_format.ParseError) as error:
        raise InputError(f"{path}: is no model configuration ({' '.join(str(error).split())}).") from error
    for model in config.model_config_list.config:
        model.base_path = str(path.parent / model.base_path)
    return [*config.model_config_list.config]


class Registry:
    """Loads what the configuration asks for, again and again, and finds the model that a request means.

    What is served of a model changes in one assignment, so requests need no lock.
    """

    def __init__(self, configs: Iterable[ModelConfig]):
        self.configs = {config.name: config for config in configs}
        self._loaded: dict[str, dict[int, LoadedModel]] = {name: {} for name in self.configs}
        self._states: dict[str, dict[int, tuple[str, str]]] = {name: {} for name in self.configs}

    def update(self) -> list[str]:
        """Loads the latest versions that load, then lets go of those that are not wanted any more.

        Returns:
            A sentence on each version that could not be loaded, once; it is tried again each time.
        """
        told = []
        for name, config in self.configs.items():
            before, states = self._loaded[name], self._states[name]
            loaded, failed = _load(config, before)
            if failed and not loaded:
                loaded = before  # better than none
            told += [reason for version, reason in failed.items() if states.get(version) != ("END", reason)]
            now = {version: ("END", failed.get(version, "")) for version in states | failed}
            self._states[name] = now | {version: ("AVAILABLE", "") for version in loaded}
            self._loaded[name] = loaded
        return told

    def find(self, model: Model) -> LoadedModel:
        """The model that a request means; a `ServingError` where it is not here."""
        versions, version = self._loaded.get(model.name, {}), model.version
        if model.label is not None and model.name in self.configs:
            labels = self.configs[model.name].version_labels
            if model.label not in labels:
                raise _refusal(f"Unrecognized servable version label: {model.label}")
            version = labels[model.label]
        found = versions.get(max(versions, default=-1) if version is None else version)
        if found is None:
            raise ServingError("NOT_FOUND", f"Servable not found for request: {model}")
        return found

    def versions(self, name: str) -> list[int]:
        """The versions of a model that are served."""
        return sorted(self._loaded[name])

    def states(self, model: Model) -> dict[int, tuple[str, str]]:
        """Version -> `AVAILABLE` or `END`, and why it failed, of those that are and were here; a `ServingError` if none."""
        version = self.find(model).version if model.label is not None else model.version
        states = self._states.get(model.name, {})
        states = {number: state for number, state in states.items() if version in (None, number)}
        if not states:
            raise ServingError("NOT_FOUND", f"Could not find any versions of {model}")
        return states


def _load(config: ModelConfig, before: Mapping[int, LoadedModel]) -> tuple[dict[int, LoadedModel], dict[int, str]]:
    """The versions to serve from now on, and why others cannot be; 0 stands for the folder."""
    policy, folder = config.model_version_policy, pathlib.Path(config.base_path)
    latest = None if policy.HasField("all") or policy.HasField("specific") else policy.latest.num_versions or 1
    loaded: dict[int, LoadedModel] = {}
    failed: dict[int, str] = {}
    try:
        names = [path.name for path in folder.iterdir() if path.is_dir()]
    except OSError as error:
        return {}, {0: f"{folder}: cannot be read ({error.strerror}); name a folder of versions."}
    for version in sorted((int(name) for name in names if name.isascii() and name.isdecimal()), reverse=True):
        if len(loaded) == latest or (policy.HasField("specific") and version not in policy.specific.versions):
            continue
        path = folder / str(version)
        try:
            loaded[version] = before.get(version) or LoadedModel(config.name, version, path)
        except Exception as error:  # whatever half a copy makes TensorFlow raise
            remedy = f"({type(error).__name__}: {' '.join(str(error).split())[:200]}); copy it whole, or remove it."
            if set(str(path)) & set("*?[\\"):
                remedy = "by TensorFlow, for one of * ? [ \\ in its path; rename the folder."
            failed[version] = f"{path}: cannot be loaded {remedy}"
    return loaded, failed
