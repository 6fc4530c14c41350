"""TensorFlow Serving's REST API over a `Registry` (tensorflow.org/tfx/serving/api_rest)."""

from __future__ import annotations

import base64
import binascii
import http.server
import json
import re
from typing import Any

import numpy as np
import tensorflow as tf

from keras3dgan.serving.models import LoadedModel, Registry
from keras3dgan.serving.monitoring import Monitor
from keras3dgan.serving.transport import Model, ServingError

_STATUS = {
    "INVALID_ARGUMENT": 400,
    "FAILED_PRECONDITION": 400,
    "NOT_FOUND": 404,
    "RESOURCE_EXHAUSTED": 413,
    "UNIMPLEMENTED": 501,
    "UNAVAILABLE": 503,
    "DEADLINE_EXCEEDED": 504,
}
_PATH = re.compile(r"/v1/models/([^/:]+)(?:/versions/(\d+)|/labels/([^/:]+))?(:predict|/metadata)?")
METRICS = "/monitoring/prometheus/metrics"


def handler(registry: Registry, monitor: Monitor, max_bytes: int) -> type[http.server.BaseHTTPRequestHandler]:
    """The class that answers the requests of one connection after another.

    Args:
        registry: of the models.
        monitor: counts requests.
        max_bytes: of a request.
    """

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # else the body waits 40 ms for the head's acknowledgement

        def do_GET(self):
            self._answer(self._get)

        def do_POST(self):
            self._answer(self._post)

        def _get(self):
            if self.path == METRICS:
                return monitor.text()
            model, action = _parse(self.path)
            if action == "/metadata":
                return _metadata(registry.find(model))
            if action:
                raise ServingError("INVALID_ARGUMENT", f"Malformed request: GET {self.path}")
            return {"model_version_status": [_status(*item) for item in registry.states(model).items()]}

        def _post(self):
            model, action = _parse(self.path)
            length = int(self.headers.get("Content-Length") or 0)
            if length > max_bytes:
                self.close_connection = True  # what was sent is not read
                raise ServingError("RESOURCE_EXHAUSTED", f"Request of {length} bytes is larger than {max_bytes}")
            content = self.rfile.read(length)
            if action != ":predict":
                raise ServingError("INVALID_ARGUMENT", f"Malformed request: POST {self.path}")
            with monitor.request(model.name):
                return _predict(registry.find(model), content)

        def _answer(self, answer):
            try:
                status, content = 200, answer()
            except ServingError as error:
                status, content = _STATUS.get(error.code, 500), {"error": str(error)}
            body = (content if isinstance(content, str) else json.dumps(content)).encode()
            self.send_response(status)
            self.send_header("Content-Type", "text/plain" if isinstance(content, str) else "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format, *args):
            """Says nothing; `METRICS` has the counts."""

    return Handler


def _parse(path: str) -> tuple[Model, str | None]:
    match = _PATH.fullmatch(path)
    if not match:
        raise ServingError("INVALID_ARGUMENT", f"Malformed request: {path}")
    name, version, label, action = match.groups()
    return Model(name, int(version) if version else None, label), action


def _status(version: int, state: str) -> dict[str, Any]:
    return {"version": str(version), "state": state, "status": {"error_code": "OK", "error_message": ""}}


def _metadata(model: LoadedModel) -> dict[str, Any]:
    def specs(of) -> dict[str, Any]:
        return {
            name: {
                "dtype": f"DT_{spec.dtype.name.upper()}",
                "tensor_shape": {"dim": [{"size": str(-1 if n is None else n)} for n in spec.shape]},
            }
            for name, spec in of.items()
        }

    definitions = {
        name: {"inputs": specs(model.inputs(name)), "outputs": specs(model.outputs(name))} for name in model.signatures
    }
    return {
        "model_spec": {"name": model.name, "signature_name": "", "version": str(model.version)},
        "metadata": {"signature_def": {"signature_def": definitions}},
    }


def _predict(model: LoadedModel, content: bytes) -> dict[str, Any]:
    try:
        body = json.loads(content)
    except ValueError as error:
        raise ServingError("INVALID_ARGUMENT", f"JSON Parse error: {error}") from error
    if not isinstance(body, dict) or ("instances" in body) == ("inputs" in body):
        raise ServingError("INVALID_ARGUMENT", "the body must be an object with either 'instances' or 'inputs'")
    signature = body.get("signature_name") or "serving_default"
    specs = model.inputs(signature)
    by_row = "instances" in body
    columns = _columns(body["instances"], specs) if by_row else body["inputs"]
    if not isinstance(columns, dict):
        columns = dict.fromkeys(specs, columns) if len(specs) == 1 else {}
    inputs = {name: _array(value, specs.get(name), name) for name, value in columns.items()}
    outputs = {name: _json(value, name) for name, value in model.predict(signature, inputs).items()}
    only = len(outputs) == 1
    if not by_row:
        return {"outputs": next(iter(outputs.values())) if only else outputs}
    rows = zip(*outputs.values(), strict=True)
    return {"predictions": [row[0] if only else dict(zip(outputs, row, strict=True)) for row in rows]}


def _columns(instances: Any, specs: dict[str, tf.TensorSpec]) -> Any:
    if not isinstance(instances, list) or not instances:
        raise ServingError("INVALID_ARGUMENT", "'instances' must be a list that is not empty")
    named = [isinstance(row, dict) and "b64" not in row for row in instances]
    if not any(named):
        return instances
    if not all(named) or any(row.keys() != specs.keys() for row in instances):
        raise ServingError("INVALID_ARGUMENT", f"each instance must have the inputs {', '.join(specs)}")
    return {name: [row[name] for row in instances] for name in specs}


def _array(value: Any, spec: tf.TensorSpec | None, name: str) -> np.ndarray:
    if spec is None:
        return np.asarray(0)  # a name that the signature lacks, which the model says
    try:
        if spec.dtype == tf.string:
            return np.array(_bytes(value), object)
        wanted = np.dtype(spec.dtype.as_numpy_dtype)
        array = np.array(value)
        if array.dtype.kind not in "biuf" or (wanted.kind in "iu" and (array != array.astype(wanted)).any()):
            raise ValueError(f"not {wanted} numbers")
        return array.astype(wanted)
    except (ValueError, TypeError, OverflowError, binascii.Error) as error:
        raise ServingError(
            "INVALID_ARGUMENT", f"{name}: cannot be made a tensor of {spec.dtype.name} ({error})"
        ) from error


def _bytes(value: Any) -> Any:
    if isinstance(value, list):
        return [_bytes(item) for item in value]
    return base64.b64decode(value["b64"]) if isinstance(value, dict) else value.encode()


def _json(value: np.ndarray, name: str) -> Any:
    """Lists; strings of outputs whose name ends in `_bytes` as `{"b64": ...}`, as TensorFlow Serving has it."""
    if value.dtype != object:
        return value.tolist()
    items = value.reshape(-1).tolist()
    if name.endswith("_bytes"):
        return [{"b64": base64.b64encode(item).decode()} for item in items]
    return [item.decode(errors="replace") for item in items]
