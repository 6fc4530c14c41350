"""TensorFlow Serving's gRPC services and REST API (tensorflow.org/tfx/serving/api_rest) over a `Registry`."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import re
import threading
from collections.abc import Iterator
from typing import Any

import grpc
import numpy as np
import orjson
import prometheus_client
import tensorflow as tf
from google.protobuf.json_format import MessageToDict
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from tensorflow.core.framework.tensor_pb2 import TensorProto
from tensorflow_serving.apis.get_model_status_pb2 import GetModelStatusRequest, GetModelStatusResponse
from tensorflow_serving.apis.model_pb2 import ModelSpec
from tensorflow_serving.apis.model_service_pb2_grpc import ModelServiceServicer
from tensorflow_serving.apis.predict_pb2 import PredictRequest, PredictResponse
from tensorflow_serving.apis.prediction_service_pb2_grpc import PredictionServiceServicer

from keras3dgan.serving.models import Limits, LoadedModel, Registry, refusal
from keras3dgan.serving.transport import HTTP_CODES, Model, ServingError

_STATUS = {"FAILED_PRECONDITION": 400} | {code: status for status, code in HTTP_CODES.items()}
_NUMBER = re.compile("[0-9]{1,18}")
_parsing = threading.Lock()  # there is one body of Python's objects at a time


class Service(PredictionServiceServicer, ModelServiceServicer):
    """Predict and GetModelStatus; other calls answer UNIMPLEMENTED. `app` answers REST and counts for Prometheus."""

    def __init__(self, registry: Registry, limits: Limits):
        self._registry, self._limits = registry, limits
        self._room = asyncio.Semaphore(limits.at_once)
        self._metrics = prometheus_client.CollectorRegistry()
        # A gauge, since the library ends the names of counters in `_total`, which TensorFlow Serving does not.
        name, labels = ":tensorflow:serving:request_count", ("model_name", "status")
        self._requests = prometheus_client.Gauge(name, "requests", labels, registry=self._metrics)
        routes = [Route("/monitoring/prometheus/metrics", self._rest_metrics)]
        for which in ("", "/versions/{version:int}", "/labels/{label}"):
            path = f"/v1/models/{{name}}{which}"
            routes += [Route(f"{path}:predict", self._rest_predict, methods=["POST"]), Route(path, self._rest_status)]
        handlers = dict.fromkeys((HTTPException, ServingError, Exception), _failed)
        self.app = Starlette(routes=routes, exception_handlers=handlers)

    def Predict(self, request: PredictRequest, context: grpc.ServicerContext) -> PredictResponse:
        with self._answering(request.model_spec, context) as asked, self._counted(asked.name):
            model = self._registry.find(asked)
            signature = request.model_spec.signature_name or "serving_default"
            outputs = model.predict(signature, request.inputs, self._limits)
            spec = ModelSpec(name=asked.name, signature_name=signature, version={"value": model.version})
            return PredictResponse(model_spec=spec, outputs={k: tf.make_tensor_proto(v) for k, v in outputs.items()})

    def GetModelStatus(self, request: GetModelStatusRequest, context: grpc.ServicerContext) -> GetModelStatusResponse:
        with self._answering(request.model_spec, context) as asked:
            return self._registry.status(asked)

    async def _rest_metrics(self, request: Request) -> Response:
        content = prometheus_client.generate_latest(self._metrics)
        return Response(content, media_type=prometheus_client.CONTENT_TYPE_LATEST)

    async def _rest_status(self, request: Request) -> Response:
        found = self._registry.status(Model(**request.path_params))
        options = {"preserving_proto_field_name": True, "always_print_fields_with_no_presence": True}
        return _json(MessageToDict(found, **options))

    async def _rest_predict(self, request: Request) -> Response:
        asked, seconds = Model(**request.path_params), self._limits.seconds
        with self._counted(asked.name):
            # The HTTP library reads no more than Content-Length says, but in chunks as much as there comes.
            size = "" if "transfer-encoding" in request.headers else request.headers.get("content-length", "")
            most = self._limits.bytes // 4  # since Python's objects take up to 32 times the bytes of their JSON
            if not _NUMBER.fullmatch(size) or int(size) > most:
                raise ServingError("RESOURCE_EXHAUSTED", f"{size[:20] or 'unknown'} bytes are too many; at most {most}")
            try:
                async with asyncio.timeout(seconds) as deadline, self._room:
                    body = await request.body()
                    deadline.reschedule(None)  # what runs is not stopped
                    return await run_in_threadpool(self._answer, asked, body)
            except TimeoutError as error:
                raise ServingError("DEADLINE_EXCEEDED", f"no room, or no body, within {seconds:g} s") from error

    def _answer(self, asked: Model, body: bytes) -> Response:
        model = self._registry.find(asked)
        with _parsing:
            signature, tensors = _parse(body, model)
        outputs = model.predict(signature, tensors, self._limits)
        found = {name: _listed(name, value) for name, value in outputs.items()}
        return _json({"outputs": found if len(found) > 1 else next(iter(found.values()))})

    @contextlib.contextmanager
    def _counted(self, model: str) -> Iterator[None]:
        status = "INTERNAL"
        try:
            yield
            status = "OK"
        except ServingError as error:
            status = error.code
            raise
        finally:  # names that strangers make up are no series
            self._requests.labels(model if model in self._registry.configs else "", status).inc()

    @contextlib.contextmanager
    def _answering(self, spec: ModelSpec, context: grpc.ServicerContext) -> Iterator[Model]:
        try:
            yield Model(spec.name, spec.version.value if spec.HasField("version") else None, spec.version_label or None)
        except ServingError as error:
            context.abort(grpc.StatusCode[error.code], str(error))


def _parse(body: bytes, model: LoadedModel) -> tuple[str, dict[str, TensorProto]]:
    """The signature that a body asks for, and its tensors."""
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise refusal(f"JSON Parse error: {error}") from error
    if not isinstance(content, dict) or "inputs" not in content:
        raise refusal("the body must be an object with 'inputs'; 'instances' are left to TensorFlow Serving")
    signature, given = str(content.get("signature_name") or "serving_default"), content["inputs"]
    specs = model.inputs(signature)
    if not isinstance(given, dict):
        given = dict.fromkeys(specs, given) if len(specs) == 1 else {}
    # One that the signature does not know stays empty: the model refuses its name.
    return signature, {k: _tensor(k, v, specs[k].dtype) if k in specs else TensorProto() for k, v in given.items()}


def _tensor(name: str, value: Any, dtype: tf.DType) -> TensorProto:
    found = np.array(value, object)  # as any other type numpy would turn strings, fractions and large numbers into it
    allowed = {int, float} if dtype.is_floating else {int} if dtype.is_integer else set()
    with np.errstate(over="raise"), contextlib.suppress(ArithmeticError):
        if set(map(type, found.reshape(-1).tolist())) <= allowed:
            return tf.make_tensor_proto(found.astype(dtype.as_numpy_dtype))
    raise refusal(f"{name}: must be numbers that fit {dtype.name}, in lists of one length")


def _listed(name: str, value: np.ndarray) -> Any:
    """What JSON can say; strings as TensorFlow Serving's `{"b64": ...}` of outputs whose name ends in `_bytes`."""
    if value.dtype == object:
        return np.frompyfunc(lambda item: {"b64": base64.b64encode(item).decode()}, 1, 1)(value).tolist()
    if not np.isfinite(value).all():
        raise ServingError("INTERNAL", f"{name} is not finite, which JSON cannot say; look at the inputs, or use gRPC")
    return value if value.ndim else value.item()


def _json(content: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(content, option=orjson.OPT_SERIALIZE_NUMPY), status, media_type="application/json")


async def _failed(request: Request, error: Exception) -> Response:
    if isinstance(error, HTTPException):
        error = refusal(f"Malformed request: {request.method} {request.url.path}")
    return _json({"error": str(error)}, _STATUS.get(getattr(error, "code", ""), 500))
