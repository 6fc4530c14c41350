"""The development server: values, REST as TensorFlow Serving documents it, limits, and its process."""

import base64
import json
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import tracemalloc

import grpc
import numpy as np
import pytest
import requests
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

from keras3dgan.errors import InputError
from keras3dgan.serving import Client, ServingError
from keras3dgan.serving.models import Limits
from keras3dgan.serving.server import Server
from keras3dgan.serving.transport import Model
from keras3dgan.voxels.binvox import read_binvox
from keras3dgan.voxels.grid import pack
from tests.conftest import boxes, command_environment, run_command


def test_what_is_served_is_the_codec(codec, development_server):
    grids = boxes(3, 32).grids()
    for address in development_server.values():
        client = Client(address)
        assert client.encode(grids) == codec.encode(grids)
        np.testing.assert_array_equal(client.decode(codec.encode(grids)), codec.decode(codec.encode(grids)) > 0.5)


def test_files_through_the_command(codec, development_server, tmp_path):
    np.save(tmp_path / "a.npy", boxes(1, 32).grids()[0])
    out = run_command("serve_client", f"--address={development_server['grpc']}", tmp_path / "a.npy").stdout
    assert "bytes a shape" in out
    rest = f"--address={development_server['rest']}"
    run_command("serve_client", rest, f"--output={tmp_path}/b.binvox", tmp_path / "a.g3c")
    expected = codec.decode((tmp_path / "a.g3c").read_bytes()) > 0.5
    np.testing.assert_array_equal(read_binvox(tmp_path / "b.binvox").grid, expected)
    line = run_command("serve_client", rest, "--task=classify", tmp_path / "a.npy").stdout
    assert line in (f"{tmp_path}/a.npy: bathtub\n", f"{tmp_path}/a.npy: chair\n")
    made = run_command(
        "serve_client", rest, "--task=generate", "--count=2", "--format=npy", f"--output={tmp_path}/made"
    )
    assert "2 shapes" in made.stdout or "empty ones left out" in made.stdout


def test_a_folder_without_a_server_asks_once(tmp_path):
    for index in range(20):
        np.save(tmp_path / f"{index}.npy", boxes(1, 32).grids()[0])
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        gone = run_command("serve_client", f"--address={address}", "--timeout=0.3", tmp_path, check=False)
        listener.accept()[0].close()
        listener.setblocking(False)
        with pytest.raises(BlockingIOError):
            listener.accept()
    assert gone.returncode == 1 and gone.stderr.count("\n") == 1 and address in gone.stderr


def test_rest_as_documented(development_server):
    """tensorflow.org/tfx/serving/api_rest: inputs in columns, status, strings."""
    url = f"{development_server['rest']}/v1/models"
    packed = pack(boxes(2, 32).grids()).tolist()
    bare, columns = ({"signature_name": "compress", "inputs": inputs} for inputs in (packed, {"packed": packed}))
    found = requests.post(f"{url}/encoder:predict", json=bare).json()["outputs"]
    assert found == requests.post(f"{url}/encoder/versions/1:predict", json=columns).json()["outputs"]
    assert found == requests.post(f"{url}/encoder/labels/stable:predict", json=columns).json()["outputs"]
    classes = requests.post(f"{url}/voxnet:predict", json={**bare, "signature_name": "classify"}).json()["outputs"]
    assert classes.keys() == {"probabilities", "class_name_bytes"} and len(classes["probabilities"]) == 2
    assert {base64.b64decode(name["b64"]) for name in classes["class_name_bytes"]} <= {b"bathtub", b"chair"}
    status = {"version": "1", "state": "AVAILABLE", "status": {"error_code": "OK", "error_message": ""}}
    for path in ("encoder", "encoder/versions/1", "encoder/labels/stable"):
        assert requests.get(f"{url}/{path}").json() == {"model_version_status": [status]}


def _counts(development_server) -> dict[str, float]:
    lines = requests.get(f"{development_server['rest']}/monitoring/prometheus/metrics").text.splitlines()
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines if not line.startswith("#")}


_SIZE = {"signature_name": "describe"}


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("encoder:predict", "{", 400),
        ("encoder:predict", "{}", 400),
        ("encoder:predict", "[" * 900 + "]" * 900, 400),
        ("encoder:predict", '{"inputs":' + "[" * 900 + "]" * 900 + "}", 400),
        ("encoder:predict", "[" * 100_000, 400),
        ("encoder:predict", b'{"inputs": "\xff"}', 400),
        ("encoder:predict", '{"inputs": 1, "signature_name": ["describe"]}', 400),
        ("encoder:predict", '{"inputs": 1, "signature_name": "shrink"}', 400),
        ("encoder:predict", '{"instances": [{"index": 1}], "signature_name": "describe"}', 400),
        *(
            ("encoder:predict", f'{{"signature_name": "describe", "inputs": [{value}]}}', 400)
            for value in ("1e400", "1.5", "NaN", "Infinity", "9999999999", "1" * 5000, '"5"', "null", "{}", "[1], 2")
        ),
        ("encoder:predict", json.dumps({**_SIZE, "inputs": [1] * 100_000}), 400),
        ("encoder:predict", json.dumps({**_SIZE, "inputs": {"index": [1], "more": 2}}), 400),
        ("generator:predict", '{"signature_name": "generate", "inputs": {"seed": 1, "count": 1000000000}}', 400),
        ("generator:predict", '{"signature_name": "generate", "inputs": {"seed": 1, "count": -1}}', 400),
        ("generator:predict", '{"inputs": [[1e300, 0, 0, 0, 0, 0, 0, 0]]}', 400),
        ("encoder:predict", " " * (1 << 19) + "{}", 413),
        ("encoder/labels/canary:predict", '{"inputs": 1}', 400),
        ("encoder/versions/7:predict", '{"inputs": 1}', 404),
    ],
)
def test_what_cannot_be_answered_gets_a_sentence_and_counts_as_an_error(development_server, path, body, status):
    before = _counts(development_server)
    reply = requests.post(f"{development_server['rest']}/v1/models/{path}", data=body)
    assert reply.status_code == status and reply.json()["error"], reply.text
    assert "\n" not in reply.json()["error"] and len(reply.text) < 600
    after = _counts(development_server)
    grown = {name for name in after if "request_count" in name and after[name] != before.get(name, 0)}
    assert len(grown) == 1 and 'status="OK"' not in grown.pop()


@pytest.mark.parametrize(
    "path", ["nobody:predict", "encoder:classify", "encoder/versions/x:predict", ":predict", "a/b/c"]
)
def test_what_is_not_here_gets_a_sentence_and_no_series(development_server, path):
    reply = requests.post(f"{development_server['rest']}/v1/models/{path}", data='{"inputs": 1}')
    assert reply.status_code == (404 if path.startswith("nobody") else 400) and reply.json()["error"]
    assert not any("nobody" in name for name in _counts(development_server))


def test_what_is_not_finite_is_an_error_in_json_and_a_value_over_grpc(development_server):
    voxels = np.full((1, 32, 32, 32, 1), 3e38, np.float32)
    transport = Client(development_server["grpc"])._transport
    found = transport.predict(Model("voxnet"), "serving_default", {"voxels": voxels}, 20)
    assert np.isnan(found["probabilities"]).any()
    body = json.dumps({"inputs": np.full(voxels.shape, 7).tolist()}).replace("7", "3e38")
    reply = requests.post(f"{development_server['rest']}/v1/models/voxnet:predict", data=body)
    assert reply.status_code == 500 and "probabilities is not finite" in reply.json()["error"]


@pytest.mark.parametrize("signature", ["describe", "unknown"])
def test_a_small_message_that_declares_a_huge_tensor_takes_no_memory(development_server, signature):
    request = predict_pb2.PredictRequest()
    request.model_spec.name, request.model_spec.signature_name = "encoder", signature
    request.inputs["index"].dtype = 3  # int32
    request.inputs["index"].tensor_shape.dim.add(size=655_360_000)
    assert len(request.SerializeToString()) < 80
    with grpc.insecure_channel(development_server["grpc"]) as channel:
        tracemalloc.start()
        with pytest.raises(grpc.RpcError) as error:
            prediction_service_pb2_grpc.PredictionServiceStub(channel).Predict(request, timeout=20)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert error.value.code().name in ("INVALID_ARGUMENT", "FAILED_PRECONDITION") and peak < 10 << 20


@pytest.mark.parametrize(
    ("dtype", "sizes", "content"), [(3, [2], b"\0" * 4), (3, [-1], b""), (1, [1], b"\0" * 4), (99, [1], b"")]
)
def test_tensors_that_contradict_themselves_or_the_signature(development_server, dtype, sizes, content):
    request = predict_pb2.PredictRequest()
    request.model_spec.name, request.model_spec.signature_name = "encoder", "describe"
    request.inputs["index"].dtype, request.inputs["index"].tensor_content = dtype, content
    for size in sizes:
        request.inputs["index"].tensor_shape.dim.add(size=size)
    with grpc.insecure_channel(development_server["grpc"]) as channel, pytest.raises(grpc.RpcError) as error:
        prediction_service_pb2_grpc.PredictionServiceStub(channel).Predict(request, timeout=20)
    assert error.value.code() == grpc.StatusCode.INVALID_ARGUMENT


@pytest.mark.parametrize("transport", ["grpc", "rest"])
def test_too_many_shapes_are_refused(development_server, transport):
    client = Client(development_server[transport])
    for name, signature, inputs in (
        ("encoder", "describe", {"index": np.zeros(18, np.int32)}),
        ("encoder", "compress", {"packed": np.zeros((18, 4096), np.uint8)}),
        ("generator", "generate", {"seed": np.array(1), "count": np.array(18, np.int32)}),
        ("generator", "generate", {"seed": np.array(1), "count": np.array(17, np.int32)}),  # a reply of 2.1 MiB
    ):
        with pytest.raises(ServingError) as error:
            client._transport.predict(Model(name), signature, inputs, 20)
        assert error.value.code == ("RESOURCE_EXHAUSTED" if "17" in str(inputs) else "INVALID_ARGUMENT")
    assert len(client._transport.predict(Model("encoder"), "describe", {"index": np.zeros(17, np.int32)}, 20)) == 1


def _raw(address: str, content: bytes) -> bytes:
    """What a REST server answers to bytes."""
    host, port = address.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        connection.sendall(content)
        return connection.makefile("rb").read()


_HEAD = b"POST /v1/models/encoder:predict HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"


@pytest.mark.parametrize(
    ("head", "status"),
    [(b"Content-Length: -1\r\n\r\n", b"400"), (b"Content-Length: 9999999999\r\n\r\n", b"413"), (b"\r\n", b"413"),
     (b"Transfer-Encoding: chunked\r\n\r\n", b"413"),
     (b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", b"413")],
)  # fmt: skip
def test_a_body_of_an_impossible_or_unknown_size_is_refused(development_server, head, status):
    assert _raw(development_server["rest"], _HEAD + head).split()[1].startswith(status)


def test_a_body_that_never_comes_costs_a_time_limit(registry):
    server = Server(registry, Limits(seconds=0.2, at_once=1))
    server.start()
    reply = _raw(server.rest_address, _HEAD + b"Content-Length: 5\r\n\r\n")
    assert reply.split()[1] == b"504" and b"within 0.2 s" in reply
    assert Client(server.rest_address).coder.size
    server.stop()


def test_a_grpc_connection_is_renewed_and_no_request_lost(registry):
    server = Server(registry, Limits(connection_seconds=0.3))
    server.start()
    client = Client(server.address, retries=2)  # of a request that met the end of its connection
    states = []
    client._transport._channel.subscribe(states.append, try_to_connect=True)
    end = time.monotonic() + 1.5
    while time.monotonic() < end:
        assert client.versions("encoder") == {1: "AVAILABLE"}
    client.close()
    server.stop()
    assert states.count(grpc.ChannelConnectivity.READY) >= 2


def test_idle_connections_hold_no_threads(development_server):
    client = Client(development_server["rest"])
    assert client.coder.size
    before = threading.active_count()
    host, port = development_server["rest"].removeprefix("http://").split(":")
    idle = [socket.create_connection((host, int(port))) for _ in range(500)]
    assert client.versions("encoder") == {1: "AVAILABLE"} and threading.active_count() <= before + 2
    for connection in idle:
        connection.close()


def test_ports_that_are_taken_get_a_sentence(development_server, registry):
    grpc_port, rest_port = (int(development_server[which].rpartition(":")[2]) for which in ("grpc", "rest"))
    for ports in ((grpc_port, 0), (0, rest_port)):
        with pytest.raises(InputError, match=f"^port {ports[0]}, rest_port {ports[1]}: cannot listen"):
            Server(registry, Limits(), *ports)


def test_flags_that_do_not_go_together_get_a_sentence(tmp_path):
    (tmp_path / "a[1]" / "encoder" / "1").mkdir(parents=True)
    for words, part in (
        ([], "give one of them"),
        ([f"--models={tmp_path}/none"], f"{tmp_path}/none is no folder"),
        ([f"--models={tmp_path}/a[1]"], "a[1]/encoder/1: cannot be loaded"),
    ):
        result = run_command("serve", *words, check=False)
        assert result.returncode == 1 and part in result.stderr and result.stderr.count("\n") == 1


@pytest.fixture
def process(exported, tmp_path):
    """A server in a process of its own, over a copy of the models in `tmp_path / "models"`, and its addresses."""
    shutil.copytree(exported, tmp_path / "models")
    words = [f"--models={tmp_path}/models", "--port=0", "--rest_port=0", "--poll_seconds=0.2"]
    command = [sys.executable, "-m", "keras3dgan", "serve", *words]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, env=command_environment(), **pipes) as server:
        try:
            line = server.stdout.readline()
            assert "encoder [1]" in line, server.stderr.read()
            yield server, line.split("gRPC on ")[1].split(",")[0], line.split("REST on ")[1].strip()
        finally:
            server.kill()


def test_a_server_killed_amid_a_request_gives_one_sentence(process):
    server, grpc_address, rest_address = process
    clients = [Client(address, timeout=20, retries=1) for address in (grpc_address, rest_address)]
    grids = boxes(64, 32).grids()
    for client in clients:
        client.encode(grids[:1])
    errors = []

    def ask(client):
        try:
            while True:
                client.encode(grids)
        except ServingError as error:
            errors.append(error)

    threads = [threading.Thread(target=ask, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    time.sleep(0.5)
    server.kill()
    for thread in threads:
        thread.join(timeout=30)
    assert len(errors) == 2 and all(error.code == "UNAVAILABLE" and "\n" not in str(error) for error in errors)


def test_half_a_copy_does_not_end_the_server_and_sigterm_ends_it_in_order(process, tmp_path):
    server, address, _ = process
    client = Client(address)
    place = tmp_path / "models" / "voxnet" / "2"
    place.mkdir()
    assert f"keras3dgan serve: {place}: cannot be loaded" in server.stderr.readline()
    assert client.versions("voxnet") == {1: "AVAILABLE", 2: "END"}
    assert len(client.classify(boxes(1, 32).grids())) == 1
    shutil.copytree(place.with_name("1"), place, dirs_exist_ok=True)
    end = time.monotonic() + 30
    while client.versions("voxnet") != {1: "END", 2: "AVAILABLE"}:
        assert time.monotonic() < end
        time.sleep(0.1)
    server.send_signal(signal.SIGTERM)
    assert server.wait(timeout=30) == 128 + signal.SIGTERM
    assert server.stderr.read().endswith("keras3dgan serve: terminated\n")
