"""Requests over gRPC, by the messages of TensorFlow Serving."""

from __future__ import annotations

import contextlib
import pathlib
from collections.abc import Iterator

import grpc
import numpy as np

from keras3dgan.errors import InputError
from keras3dgan.serving.transport import MAX_MESSAGE_BYTES, Model, ServingError, Transport

try:
    import tensorflow as tf
    from tensorflow_serving.apis import (
        get_model_status_pb2,
        model_pb2,
        model_service_pb2_grpc,
        predict_pb2,
        prediction_service_pb2_grpc,
    )
except ModuleNotFoundError as error:
    raise InputError(
        f"gRPC needs {error.name}; type pip install --no-deps tensorflow-serving-api beside TensorFlow, or give the address of "
        "the REST port, as http://localhost:8501."
    ) from error

OPTIONS = (("grpc.max_receive_message_length", MAX_MESSAGE_BYTES), ("grpc.max_send_message_length", MAX_MESSAGE_BYTES))


class GrpcTransport(Transport):
    """Speaks to `host:port`, or encrypted to `grpcs://host:port`; 8500 is TensorFlow Serving's default.

    Args:
        address: of the server.
        tls_ca: PEM file of the authority of its certificate; default: those that gRPC trusts.
        token: shown to an encrypted server.
    """

    def __init__(self, address: str, tls_ca: str | None = None, token: str | None = None):
        self.address = address
        # Retries are the client's, who knows what may be retried and how long a person waits.
        options = (*OPTIONS, ("grpc.enable_retries", 0))
        if address.startswith("grpcs://"):
            credentials = grpc.ssl_channel_credentials(pathlib.Path(tls_ca).read_bytes() if tls_ca else None)
            if token:
                shown = grpc.access_token_call_credentials(token)
                credentials = grpc.composite_channel_credentials(credentials, shown)
            self._channel = grpc.secure_channel(address.removeprefix("grpcs://"), credentials, options)
        else:
            self._channel = grpc.insecure_channel(address, options)
        self._prediction = prediction_service_pb2_grpc.PredictionServiceStub(self._channel)
        self._models = model_service_pb2_grpc.ModelServiceStub(self._channel)

    def predict(
        self, model: Model, signature: str, inputs: dict[str, np.ndarray], timeout: float
    ) -> dict[str, np.ndarray]:
        request = predict_pb2.PredictRequest()
        _fill(request.model_spec, model)
        request.model_spec.signature_name = signature
        for name, value in inputs.items():
            request.inputs[name].CopyFrom(tf.make_tensor_proto(value))
        with self._failures(model):
            reply = self._prediction.Predict(request, timeout=timeout)
        return {name: tf.make_ndarray(value) for name, value in reply.outputs.items()}

    def versions(self, model: Model, timeout: float) -> dict[int, str]:
        request = get_model_status_pb2.GetModelStatusRequest()
        _fill(request.model_spec, model)
        with self._failures(model):
            reply = self._models.GetModelStatus(request, timeout=timeout)
        states = get_model_status_pb2.ModelVersionStatus.State
        return {status.version: states.Name(status.state) for status in reply.model_version_status}

    def close(self) -> None:
        self._channel.close()

    @contextlib.contextmanager
    def _failures(self, model: Model) -> Iterator[None]:
        try:
            yield
        except grpc.RpcError as error:
            code = error.code().name
            raise ServingError(code, f"{self.address}, {model}: {code}: {error.details() or ''}") from error


def _fill(spec: model_pb2.ModelSpec, model: Model) -> None:
    spec.name = model.name
    if model.version is not None:
        spec.version.value = model.version
    elif model.label:
        spec.version_label = model.label
