"""TensorFlow Serving's REST API over a `Service` (tensorflow.org/tfx/serving/api_rest)."""

from __future__ import annotations

import asyncio
import base64
import threading
from collections.abc import Mapping
from typing import Any

import numpy as np
import orjson
import prometheus_client
import tensorflow as tf
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from tensorflow.core.protobuf.meta_graph_pb2 import TensorInfo

from keras3dgan.serving.models import refusal
from keras3dgan.serving.service import Service
from keras3dgan.serving.transport import HTTP_CODES, Model, ServingError

_STATUS = {"FAILED_PRECONDITION": 400} | {code: status for status, code in HTTP_CODES.items()}
# There is one body of Python's objects at a time.
_parsing = threading.Lock()


class RestService:
    """Answers REST requests; `app` is what an ASGI server runs."""

    def __init__(self, service: Service):
        self._service = service
        self._room = asyncio.Semaphore(service.limits.at_once)
        routes = [Route("/monitoring/prometheus/metrics", self._metrics)]
        for which in ("", "/versions/{version}", "/labels/{label}"):
            path = f"/v1/models/{{name}}{which}"
            routes.append(Route(f"{path}:predict", self._predict, methods=["POST"]))
            routes += [Route(f"{path}/metadata", self._metadata), Route(path, self._status)]
        handlers: dict[Any, Any] = {HTTPException: _malformed, ServingError: _failed, Exception: _failed}
        self.app = Starlette(routes=routes, exception_handlers=handlers)

    async def _metrics(self, request: Request) -> Response:
        content = prometheus_client.generate_latest(self._service.metrics)
        return Response(content, media_type=prometheus_client.CONTENT_TYPE_LATEST)

    async def _status(self, request: Request) -> Response:
        return _json(_dict(self._service.registry.status(self._asked(request))))

    async def _metadata(self, request: Request) -> Response:
        model = self._service.registry.find(self._asked(request))
        spec = {"name": model.name, "signature_name": "", "version": str(model.version)}
        return _json({"model_spec": spec, "metadata": {"signature_def": _dict(model.definitions)}})

    async def _predict(self, request: Request) -> Response:
        limits, model = self._service.limits, self._asked(request)
        with self._service.counted(model.name):
            # The HTTP library reads no more than Content-Length says, but in chunks as much as there comes.
            size = "" if "transfer-encoding" in request.headers else request.headers.get("content-length", "")
            most = limits.bytes // 4  # since Python's objects take up to 32 times the bytes of their JSON
            if not size or int(size) > most:
                raise ServingError("RESOURCE_EXHAUSTED", f"{size or 'unknown'} bytes are too many; at most {most}")
            try:
                async with asyncio.timeout(limits.seconds) as deadline, self._room:
                    body = await request.body()
                    deadline.reschedule(None)  # what runs is not stopped
                    return await run_in_threadpool(self._answer, model, body)
            except TimeoutError as error:
                raise ServingError("DEADLINE_EXCEEDED", f"no room, or no body, within {limits.seconds:g} s") from error

    def _asked(self, request: Request) -> Model:
        """The model that a request asks for, if it may ask."""
        self._service.admit(request.headers.get("authorization", ""))
        which = request.path_params
        version = which.get("version", "0")
        if not (version.isascii() and version.isdecimal() and len(version) < 19):
            raise refusal(f"Malformed request: {request.method} {request.url.path}")
        return Model(which["name"], int(version) if "version" in which else None, which.get("label"))

    def _answer(self, asked: Model, body: bytes) -> Response:
        model, limits = self._service.registry.find(asked), self._service.limits
        with _parsing:
            by_row, signature, given = _parse(body)
            specs = model.inputs(signature)
            columns = _columns(given, by_row, specs)
            types = {name: spec.dtype for name, spec in specs.items()}
            model.check(signature, {name: (types.get(name, 0), _shape(v)) for name, v in columns.items()}, limits)
            inputs = {name: _array(name, columns.pop(name), spec) for name, spec in specs.items()}
            del given
        outputs = model.predict(signature, inputs, limits)
        found = {name: _listed(name, value) for name, value in outputs.items()}
        counts = {value.shape[:1] for value in outputs.values()}
        if by_row and (len(counts) != 1 or () in counts):
            raise refusal(f"{', '.join(found)} have no rows in common; ask with 'inputs'")
        key = "predictions" if by_row else "outputs"
        if len(found) == 1:
            return _json({key: next(iter(found.values()))})
        rows = [dict(zip(found, row, strict=True)) for row in zip(*found.values(), strict=True)] if by_row else found
        return _json({key: rows})


def _parse(body: bytes) -> tuple[bool, str, Any]:
    """Whether a request is by row, its signature, and its values."""
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise refusal(f"JSON Parse error: {error}") from error
    if not isinstance(content, dict) or ("instances" in content) == ("inputs" in content):
        raise refusal("the body must be an object with either 'instances' or 'inputs'")
    signature, by_row = content.get("signature_name") or "serving_default", "instances" in content
    if not isinstance(signature, str):
        raise refusal("signature_name must be a string")
    return by_row, signature, content["instances" if by_row else "inputs"]


def _columns(given: Any, by_row: bool, specs: Mapping[str, TensorInfo]) -> dict[str, Any]:
    """The values of each input, first axis first."""
    if by_row and (not isinstance(given, list) or not given):
        raise refusal("'instances' must be a list that is not empty")
    if by_row and isinstance(given[0], dict):
        if any(not isinstance(row, dict) or row.keys() != specs.keys() for row in given):
            raise refusal(f"each instance must have the inputs {', '.join(specs)}")
        return {name: [row[name] for row in given] for name in specs}
    if isinstance(given, dict):
        return given
    return dict.fromkeys(specs, given) if len(specs) == 1 else {}


def _shape(value: Any) -> list[int]:
    """The shape of nested lists, as far as their first elements tell."""
    shape = []
    while isinstance(value, list):
        shape.append(len(value))
        value = value[0] if value else None
    return shape


def _array(name: str, value: Any, spec: TensorInfo) -> np.ndarray:
    wanted = tf.as_dtype(spec.dtype)
    found = np.array(value, object)  # as any other type numpy would turn strings, fractions and large numbers into it
    allowed = {int, float} if wanted.is_floating else {int} if wanted.is_integer else set()
    try:
        with np.errstate(over="raise"):
            if set(map(type, found.reshape(-1).tolist())) <= allowed:
                return found.astype(wanted.as_numpy_dtype)
    except ArithmeticError as error:
        raise refusal(f"{name}: {error}, where {wanted.name} must be") from error
    raise refusal(f"{name}: must be {wanted.name} numbers in lists of one length")


def _listed(name: str, value: np.ndarray) -> Any:
    """What JSON can say; strings of outputs whose name ends in `_bytes` as `{"b64": ...}`, as TensorFlow Serving has it."""
    if value.dtype == object:
        if not name.endswith("_bytes"):
            return np.char.decode(value.astype(bytes)).tolist()
        return np.frompyfunc(lambda item: {"b64": base64.b64encode(item).decode()}, 1, 1)(value).tolist()
    if not np.isfinite(value).all():
        raise ServingError("INTERNAL", f"{name} is not finite, which JSON cannot say; look at the inputs, or use gRPC")
    return value if value.ndim else value.item()


def _dict(message: Message) -> dict[str, Any]:
    return MessageToDict(message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True)


def _json(content: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(content, option=orjson.OPT_SERIALIZE_NUMPY), status, media_type="application/json")


async def _malformed(request: Request, error: Exception) -> Response:
    return await _failed(request, refusal(f"Malformed request: {request.method} {request.url.path}"))


async def _failed(request: Request, error: Exception) -> Response:
    return _json({"error": str(error)}, _STATUS.get(getattr(error, "code", ""), 500))
