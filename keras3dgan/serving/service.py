"""What the development server answers: TensorFlow Serving's gRPC services over a `Registry`."""

from __future__ import annotations

import contextlib
import hmac
import time
from collections.abc import Iterator

import grpc
import prometheus_client
import tensorflow as tf
from tensorflow_serving.apis.get_model_metadata_pb2 import GetModelMetadataRequest, GetModelMetadataResponse
from tensorflow_serving.apis.get_model_status_pb2 import GetModelStatusRequest, GetModelStatusResponse
from tensorflow_serving.apis.model_pb2 import ModelSpec
from tensorflow_serving.apis.model_service_pb2_grpc import ModelServiceServicer
from tensorflow_serving.apis.predict_pb2 import PredictRequest, PredictResponse
from tensorflow_serving.apis.prediction_service_pb2_grpc import PredictionServiceServicer

from keras3dgan.serving.models import Limits, Registry, refusal
from keras3dgan.serving.transport import Model, ServingError


class Service(PredictionServiceServicer, ModelServiceServicer):
    """Predict, GetModelMetadata and GetModelStatus; the other calls answer UNIMPLEMENTED.

    Attributes:
        metrics: requests by model and outcome, and the microseconds they took, under TensorFlow Serving's names.
    """

    def __init__(self, registry: Registry, limits: Limits, token: str | None):
        self.registry, self.limits, self._token = registry, limits, token
        self.metrics = prometheus_client.CollectorRegistry()
        # A gauge, since the library ends the names of counters in `_total`, which TensorFlow Serving does not.
        name, labels = ":tensorflow:serving:request_count", ("model_name", "status")
        self._requests = prometheus_client.Gauge(name, "requests", labels, registry=self.metrics)
        name = ":tensorflow:serving:request_latency"
        self._latency = prometheus_client.Summary(name, "microseconds", ("model_name",), registry=self.metrics)

    def Predict(self, request: PredictRequest, context: grpc.ServicerContext) -> PredictResponse:
        with self._answering(context), self.counted(request.model_spec.name):
            if not context.is_active():
                raise ServingError("DEADLINE_EXCEEDED", "its turn came too late")
            model = self.registry.find(_model(request.model_spec))
            signature = request.model_spec.signature_name or "serving_default"
            given = {k: (v.dtype, [dim.size for dim in v.tensor_shape.dim]) for k, v in request.inputs.items()}
            model.check(signature, given, self.limits)
            try:
                inputs = {name: tf.make_ndarray(value) for name, value in request.inputs.items()}
            except (ValueError, TypeError, OverflowError) as error:
                raise refusal(f"malformed tensor: {error}") from error
            outputs = model.predict(signature, inputs, self.limits)
            if unknown := set(request.output_filter) - outputs.keys():
                raise refusal(f"output tensor alias not found in signature: {unknown}")
            reply = PredictResponse()
            reply.model_spec.name, reply.model_spec.signature_name = model.name, signature
            reply.model_spec.version.value = model.version
            for name in request.output_filter or outputs:
                reply.outputs[name].CopyFrom(tf.make_tensor_proto(outputs[name]))
            return reply

    def GetModelMetadata(
        self, request: GetModelMetadataRequest, context: grpc.ServicerContext
    ) -> GetModelMetadataResponse:
        with self._answering(context):
            model = self.registry.find(_model(request.model_spec))
            reply = GetModelMetadataResponse()
            reply.model_spec.name, reply.model_spec.version.value = model.name, model.version
            reply.metadata["signature_def"].Pack(model.definitions)
            return reply

    def GetModelStatus(self, request: GetModelStatusRequest, context: grpc.ServicerContext) -> GetModelStatusResponse:
        with self._answering(context):
            return self.registry.status(_model(request.model_spec))

    def admit(self, authorization: str) -> None:
        """Refuses by a `ServingError` who does not show the token."""
        if self._token and not hmac.compare_digest(authorization.encode(), f"Bearer {self._token}".encode()):
            raise ServingError("UNAUTHENTICATED", "the bearer token is missing or wrong")

    @contextlib.contextmanager
    def counted(self, model: str) -> Iterator[None]:
        """Counts what happens inside as one request."""
        begin, status = time.perf_counter(), "INTERNAL"
        try:
            yield
            status = "OK"
        except ServingError as error:
            status = error.code
            raise
        finally:
            model = model if model in self.registry.configs else ""  # names that strangers make up are no series
            self._requests.labels(model, status).inc()
            self._latency.labels(model).observe(1e6 * (time.perf_counter() - begin))

    @contextlib.contextmanager
    def _answering(self, context: grpc.ServicerContext) -> Iterator[None]:
        try:
            self.admit(str(dict(context.invocation_metadata()).get("authorization", "")))
            yield
        except ServingError as error:
            context.abort(grpc.StatusCode[error.code], str(error))


def _model(spec: ModelSpec) -> Model:
    return Model(spec.name, spec.version.value if spec.HasField("version") else None, spec.version_label or None)
