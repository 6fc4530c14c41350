"""TensorFlow Serving's gRPC services over a `Registry`."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import grpc
import tensorflow as tf
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from keras3dgan.serving.models import Registry
from keras3dgan.serving.monitoring import Monitor
from keras3dgan.serving.transport import Model, ServingError


class PredictionServicer(prediction_service_pb2_grpc.PredictionServiceServicer):
    """Predict and GetModelMetadata; the other calls answer UNIMPLEMENTED."""

    def __init__(self, registry: Registry, monitor: Monitor):
        self._registry = registry
        self._monitor = monitor

    def Predict(self, request, context):
        spec = request.model_spec
        with _errors(context), self._monitor.request(spec.name):
            model = self._registry.find(_model(spec))
            signature = spec.signature_name or "serving_default"
            try:
                inputs = {name: tf.make_ndarray(value) for name, value in request.inputs.items()}
            except (ValueError, TypeError) as error:
                raise ServingError("INVALID_ARGUMENT", f"malformed tensor: {error}") from error
            outputs = model.predict(signature, inputs)
            reply = predict_pb2.PredictResponse()
            reply.model_spec.name, reply.model_spec.signature_name = model.name, signature
            reply.model_spec.version.value = model.version
            for name in request.output_filter or outputs:
                if name not in outputs:
                    raise ServingError("INVALID_ARGUMENT", f"output tensor alias not found in signature: {name}")
                reply.outputs[name].CopyFrom(tf.make_tensor_proto(outputs[name]))
            return reply

    def GetModelMetadata(self, request, context):
        with _errors(context):
            if list(request.metadata_field) != ["signature_def"]:
                raise ServingError("INVALID_ARGUMENT", "metadata_field must be 'signature_def'")
            model = self._registry.find(_model(request.model_spec))
            reply = get_model_metadata_pb2.GetModelMetadataResponse()
            reply.model_spec.name, reply.model_spec.version.value = model.name, model.version
            found = get_model_metadata_pb2.SignatureDefMap()
            for name in model.signatures:
                for key, specs in (("inputs", model.inputs(name)), ("outputs", model.outputs(name))):
                    for alias, spec in specs.items():
                        info = getattr(found.signature_def[name], key)[alias]
                        info.dtype = spec.dtype.as_datatype_enum
                        info.tensor_shape.CopyFrom(spec.shape.as_proto())
            reply.metadata["signature_def"].Pack(found)
            return reply


class ModelServicer(model_service_pb2_grpc.ModelServiceServicer):
    """GetModelStatus."""

    def __init__(self, registry: Registry):
        self._registry = registry

    def GetModelStatus(self, request, context):
        with _errors(context):
            reply = get_model_status_pb2.GetModelStatusResponse()
            for version, state in self._registry.states(_model(request.model_spec)).items():
                status = reply.model_version_status.add()
                status.version = version
                status.state = get_model_status_pb2.ModelVersionStatus.State.Value(state)
            return reply


def _model(spec) -> Model:
    if spec.HasField("version"):
        return Model(spec.name, version=spec.version.value)
    return Model(spec.name, label=spec.version_label or None)


@contextlib.contextmanager
def _errors(context: grpc.ServicerContext) -> Iterator[None]:
    try:
        yield
    except ServingError as error:
        context.abort(getattr(grpc.StatusCode, error.code, grpc.StatusCode.INTERNAL), str(error))
