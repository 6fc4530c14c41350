"""Requests to the development server's service, REST through its ASGI application and gRPC through its servicer."""

import asyncio
import json
import pathlib

import grpc
import numpy as np
import orjson
import tensorflow as tf
from google.protobuf.message import DecodeError
from tensorflow_serving.apis.get_model_status_pb2 import GetModelStatusRequest
from tensorflow_serving.apis.predict_pb2 import PredictRequest
from tensorflow_serving.config.model_server_config_pb2 import ModelConfig

from fuzzing import mutations
from keras3dgan.serving.models import Limits, Registry
from keras3dgan.serving.service import Service

_SIZE = 8
_PATHS = [
    "/v1/models/m:predict", "/v1/models/m/versions/1:predict", "/v1/models/m/labels/stable:predict", "/v1/models/m",
    "/v1/models/m/versions/1", "/monitoring/prometheus/metrics", "/v1/models/m/versions/99999999999999999999:predict",
    "/v1/models/none:predict", "/", "/v1/models/../../etc/passwd", "/v1/models/%00:predict", "/v1/models/m:classify",
]  # fmt: skip


class _Model(tf.Module):
    """Signatures as exported models have them: grids to bytes, numbers to grids, a batch from a scalar, two inputs."""

    @tf.function(input_signature=[tf.TensorSpec((None, _SIZE, _SIZE, _SIZE, 1), tf.float32, "grid")])
    def encode(self, grid):
        return {"stream_bytes": tf.strings.as_string(tf.reduce_sum(grid, [1, 2, 3, 4])), "latent": grid[:, 0, 0, :, 0]}

    @tf.function(input_signature=[tf.TensorSpec((), tf.int32, "count"), tf.TensorSpec((), tf.int32, "seed")])
    def generate(self, count, seed):
        return {"occupancy": tf.random.stateless_uniform((count, _SIZE, _SIZE, _SIZE), (seed, seed))}

    @tf.function(input_signature=[tf.TensorSpec((None, 4), tf.int32, "indices")])
    def describe(self, indices):
        return {"share": 1 / tf.reduce_sum(indices, 1)}


class _Aborted(Exception):
    pass


class _Context:
    """What a servicer sees of gRPC."""

    def abort(self, code: grpc.StatusCode, words: str):
        assert isinstance(code, grpc.StatusCode) and code.value[0] and words
        raise _Aborted(code.name)


class Requests:
    """One request after the other to one service, whose memory would show what is left behind."""

    batch = 1

    def __init__(self, kind: str, folder: pathlib.Path):
        model = _Model()
        signatures = {"serving_default": model.encode, "generate": model.generate, "describe": model.describe}
        tf.saved_model.save(model, str(folder / "m" / "1"), signatures=signatures)
        registry = Registry([ModelConfig(name="m", base_path=str(folder / "m"), version_labels={"stable": 1})])
        assert not registry.update()
        self._service = Service(registry, Limits(batch=16, bytes=1 << 22, seconds=5))
        grid = np.zeros((2, _SIZE, _SIZE, _SIZE, 1), int).tolist()
        self._bodies = [
            {"inputs": grid}, {"inputs": {"grid": grid}, "signature_name": "serving_default"},
            {"inputs": {"count": 3, "seed": 1}, "signature_name": "generate"},
            {"inputs": [[1, 2, 3, 4], [0, 0, 0, 0]], "signature_name": "describe"}, {"instances": grid},
        ]  # fmt: skip
        self._protos = [self._proto(body) for body in self._bodies[:4]]
        self._loop = asyncio.new_event_loop()

    @staticmethod
    def _proto(body: dict) -> PredictRequest:
        signature, given = body.get("signature_name", "serving_default"), body["inputs"]
        name = {"serving_default": "grid", "describe": "indices"}.get(signature)
        given = given if isinstance(given, dict) else {name: given}
        request = PredictRequest()
        request.model_spec.name, request.model_spec.signature_name = "m", signature
        for key, value in given.items():
            dtype = tf.float32 if key == "grid" else tf.int32
            request.inputs[key].CopyFrom(tf.make_tensor_proto(np.array(value, dtype.as_numpy_dtype)))
        return request

    def attack(self, rng: np.random.Generator) -> str:
        return self._rest(rng) if rng.random() < 0.6 else self._grpc(rng)

    def _rest(self, rng: np.random.Generator) -> str:
        body = mutations.some(rng, self._bodies)
        text = mutations.document(body, rng) if rng.random() < 0.8 else json.dumps(body).encode()
        text = mutations.blind(text, text, rng) if rng.random() < 0.1 else text
        size = str(len(text)).encode()
        if rng.random() < 0.1:
            size = str(mutations.some(rng, [-1, 0, 5, "x", 2**64, "1_0", 10**9, "+3", "²"])).encode()
        headers = [(b"content-length", size)] if rng.random() < 0.95 else []
        headers += [(b"transfer-encoding", b"chunked")] if rng.random() < 0.05 else []
        path = _PATHS[0] if rng.random() < 0.7 else mutations.some(rng, _PATHS)
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "scheme": "http", "root_path": "",
            "method": mutations.some(rng, ["POST"] * 8 + ["GET", "PUT", "X"]), "path": path, "raw_path": path.encode(),
            "query_string": b"", "headers": headers, "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 2),
        }  # fmt: skip
        sent: list = []

        async def receive():
            return {"type": "http.request", "body": text, "more_body": False}

        async def send(message):
            sent.append(message)

        self._loop.run_until_complete(self._service.app(scope, receive, send))
        status = sent[0]["status"]
        content = b"".join(message.get("body", b"") for message in sent[1:])
        assert len(content) < 1 << 24
        if path != "/monitoring/prometheus/metrics" and b"json" in dict(sent[0]["headers"]).get(b"content-type", b""):
            orjson.loads(content)  # which takes no NaN
        return "accepted" if status == 200 else "error"

    def _grpc(self, rng: np.random.Generator) -> str:
        request = PredictRequest()
        request.CopyFrom(mutations.some(rng, self._protos))
        if rng.random() < 0.4:
            content = request.SerializeToString()
            request = PredictRequest()
            try:
                request.ParseFromString(mutations.blind(content, content, rng))
            except DecodeError:  # gRPC's own refusal
                return "error"
        else:
            self._change(request, rng)
        try:
            if rng.random() < 0.05:
                self._service.GetModelStatus(GetModelStatusRequest(model_spec=request.model_spec), _Context())
            else:
                self._service.Predict(request, _Context())
        except _Aborted:
            return "error"
        return "accepted"

    @staticmethod
    def _change(request: PredictRequest, rng: np.random.Generator) -> None:
        for _ in range(rng.integers(1, 4)):
            tensor = request.inputs[mutations.some(rng, [*request.inputs] or ["x"])]
            kind = rng.integers(7)
            if kind == 0:
                tensor.dtype = int(rng.integers(0, 32))
            elif kind == 1 and tensor.tensor_shape.dim:
                mutations.some(rng, tensor.tensor_shape.dim).size = mutations.whole(rng, -(2**63), 2**63 - 1)
            elif kind == 2:
                del tensor.tensor_shape.dim[int(rng.integers(0, 3)) :]
            elif kind == 3:
                tensor.tensor_content = rng.bytes(int(rng.integers(0, 300)))
            elif kind == 4:
                tensor.tensor_shape.unknown_rank = True
            elif kind == 5:
                tensor.float_val.extend([float("nan")] * int(rng.integers(1, 9)))
            else:
                request.model_spec.signature_name = mutations.some(rng, ["generate", "describe", "", "x" * 9999])
