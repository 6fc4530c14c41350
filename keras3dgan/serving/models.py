"""The models of the development server: SavedModels in folders of versions, watched for new versions."""

from __future__ import annotations

import dataclasses
import pathlib
from collections.abc import Iterable, Mapping, Sequence

import grpc
import numpy as np
import tensorflow as tf
from google.protobuf import text_format
from tensorflow.core.protobuf.meta_graph_pb2 import TensorInfo
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel
from tensorflow_serving.apis.get_model_metadata_pb2 import SignatureDefMap
from tensorflow_serving.apis.get_model_status_pb2 import GetModelStatusResponse
from tensorflow_serving.config.model_server_config_pb2 import ModelConfig, ModelServerConfig

from keras3dgan.errors import InputError
from keras3dgan.serving.transport import Model, ServingError


@dataclasses.dataclass(frozen=True)
class Limits:
    """What a request may ask for."""

    batch: int = 128  # shapes
    bytes: int = 64 << 20  # of a request, and of the tensors in a reply; JSON may have a quarter
    seconds: float = 30.0  # until a REST request is there and has its turn; a gRPC connection lives up to twice as long
    at_once: int = 16  # requests that are worked on at the same time, on each port


class LoadedModel:
    """The SavedModel at `path`, one version of a model; `definitions` are TensorFlow's own of its signatures."""

    def __init__(self, name: str, version: int, path: pathlib.Path):
        self.name, self.version = name, version
        [graph] = SavedModel.FromString((path / "saved_model.pb").read_bytes()).meta_graphs
        self.definitions = SignatureDefMap(signature_def=graph.signature_def)
        self._model = tf.saved_model.load(str(path))

    def check(self, signature: str, given: Mapping[str, tuple[int, Sequence[int]]], limits: Limits) -> None:
        """Checks inputs before there are arrays of them.

        Args:
            signature: the one to run.
            given: name -> number of the type in TensorFlow's messages, and shape.
            limits: of a request.

        Raises:
            ServingError: they are not the signature's, or too many.
        """
        specs, batch = self.inputs(signature), range(limits.batch + 1)
        if specs.keys() != given.keys():
            raise refusal(f"inputs must be {', '.join(specs)}; got {', '.join(given) or 'none'}")
        for name, spec in specs.items():
            (dtype, shape), wanted = given[name], [dim.size for dim in spec.tensor_shape.dim]
            allowed = [batch if want == -1 else (want,) for want in wanted]
            fits = len(shape) == len(wanted) and all(size in sizes for size, sizes in zip(shape, allowed, strict=True))
            if dtype != spec.dtype or not fits:
                must = f"{tf.as_dtype(spec.dtype).name} of shape {wanted}, at most {limits.batch} for -1"
                raise refusal(f"{name}: must be {must}; got {list(shape)}")

    def inputs(self, signature: str) -> Mapping[str, TensorInfo]:
        """The messages that describe a signature's inputs; a `ServingError` where there is no such signature."""
        if signature not in self._model.signatures:
            raise ServingError("FAILED_PRECONDITION", f"Serving signature name: '{signature}' not found.")
        return self.definitions.signature_def[signature].inputs

    def predict(self, signature: str, inputs: Mapping[str, np.ndarray], limits: Limits) -> dict[str, np.ndarray]:
        """Runs a signature on inputs that have been checked.

        Raises:
            ServingError: they ask for too much, or running failed.
        """
        count = inputs.get("count", np.zeros(1))
        if count.ndim == 0 and not 0 <= count <= limits.batch:  # `generate` is told its batch in a scalar
            raise refusal(f"count: must be from 0 to {limits.batch}, got {count}")
        try:
            found = self._model.signatures[signature](**{name: tf.constant(value) for name, value in inputs.items()})
            outputs = {name: value.numpy() for name, value in found.items()}
        except tf.errors.OpError as error:
            code = next((code.name for code in grpc.StatusCode if code.value[0] == error.error_code), "INTERNAL")
            raise ServingError(code, error.message) from error
        if (size := sum(value.nbytes for value in outputs.values())) > limits.bytes:
            raise ServingError("RESOURCE_EXHAUSTED", f"a reply of {size} bytes is larger than {limits.bytes}")
        return outputs


def refusal(message: str) -> ServingError:
    """The error of a request that no server could answer."""
    return ServingError("INVALID_ARGUMENT", message)


def read_config(path: pathlib.Path) -> list[ModelConfig]:
    """Reads TensorFlow Serving's model configuration; an `InputError` where it is none. Relative paths are below its folder."""
    try:
        found = text_format.Parse(path.read_text(), ModelServerConfig()).model_config_list.config
    except (OSError, ValueError, text_format.ParseError) as error:
        raise InputError(f"{path}: is no model configuration ({' '.join(str(error).split())}).") from error
    for model in found:
        model.base_path = str(path.parent / model.base_path)
    return [*found]


class Registry:
    """Loads what the configuration asks for, again and again, and finds the model that a request means.

    What is served of a model changes in one assignment, so requests need no lock.
    """

    def __init__(self, configs: Iterable[ModelConfig]):
        self.configs = {config.name: config for config in configs}
        # Of each model every version that is or was here: loaded, or why it is not.
        self._versions: dict[str, dict[int, LoadedModel | str]] = {name: {} for name in self.configs}

    def update(self) -> list[str]:
        """Loads the latest versions that load, then lets go of those that are not wanted any more.

        Returns:
            A sentence on each version that could not be loaded, once; it is tried again each time.
        """
        told: list[str] = []
        for name, config in self.configs.items():
            before, loaded = self._versions[name], self.loaded(name)
            now = _load(config, loaded)
            told += [
                reason for version, reason in now.items() if isinstance(reason, str) and before.get(version) != reason
            ]
            if now and not any(isinstance(found, LoadedModel) for found in now.values()):
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
            labels = self.configs[model.name].version_labels
            if model.label not in labels:
                raise refusal(f"Unrecognized servable version label: {model.label}")
            version = labels[model.label]
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
                status = reply.model_version_status.add(version=number, state=state).status
                status.error_code, status.error_message = "UNKNOWN" if reason else "OK", reason
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
    for version in sorted((int(name) for name in names if name.isascii() and name.isdecimal()), reverse=True):
        if policy.HasField("specific") and version not in policy.specific.versions:
            continue
        path = folder / str(version)
        try:
            now[version] = before.get(version) or LoadedModel(config.name, version, path)
        except Exception as error:  # whatever half a copy makes TensorFlow raise
            why = f"({type(error).__name__}: {' '.join(str(error).split())[:200]}); copy it whole, or remove it."
            if set(str(path)) & set("*?[\\"):
                why = "by TensorFlow, for one of * ? [ \\ in its path; rename the folder."
            now[version] = f"{path}: cannot be loaded {why}"
        if sum(isinstance(found, LoadedModel) for found in now.values()) == latest:
            break
    return now
