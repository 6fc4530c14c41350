"""The development server: values, joined requests, versions that come and go, REST as TensorFlow Serving documents it."""

import base64
import json
import pathlib
import shutil
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
import requests

from keras3dgan.codec.neural import NeuralCodec
from keras3dgan.errors import InputError
from keras3dgan.serving import Client, ServingError
from keras3dgan.serving.batching import Batcher, BatchingParameters, read_parameters
from keras3dgan.serving.models import ModelConfig, Registry, read_config
from keras3dgan.serving.server import Server
from keras3dgan.serving.transport import Model
from keras3dgan.voxels.binvox import read_binvox
from keras3dgan.voxels.grid import pack
from tests.conftest import boxes, command_environment, run_command


def test_what_is_served_is_the_trained_codec(trained, development_server):
    codec = NeuralCodec.load(str(trained / "compressor"))
    grids = boxes(3, 32).grids()
    for address in development_server.values():
        client = Client(address)
        assert client.encode(grids) == codec.encode(grids)
        np.testing.assert_array_equal(client.decode(codec.encode(grids)), codec.decode(codec.encode(grids)) > 0.5)


def test_files_through_the_commands(trained, development_server, tmp_path):
    np.save(tmp_path / "a.npy", boxes(1, 32).grids()[0])
    address = f"--address={development_server['grpc']}"
    out = run_command("serve_client", address, tmp_path / "a.npy").stdout
    assert "bytes a shape" in out
    rest = f"--address={development_server['rest']}"
    run_command("serve_client", rest, f"--output={tmp_path}/b.binvox", tmp_path / "a.g3c")
    run_command("decompress", f"--model={trained}/compressor", f"--output={tmp_path}/c.binvox", tmp_path / "a.g3c")
    np.testing.assert_array_equal(read_binvox(tmp_path / "b.binvox").grid, read_binvox(tmp_path / "c.binvox").grid)
    line = run_command("serve_client", rest, "--task=classify", tmp_path / "a.npy").stdout
    assert line in (f"{tmp_path}/a.npy: bathtub\n", f"{tmp_path}/a.npy: chair\n")
    made = run_command(
        "serve_client", address, "--task=generate", "--count=2", "--format=npy", f"--output={tmp_path}/made"
    )
    assert "2 shapes" in made.stdout or "empty ones left out" in made.stdout
    gone = run_command("serve_client", "--address=127.0.0.1:9", "--retries=0", tmp_path / "a.npy", check=False)
    assert gone.returncode == 1 and gone.stderr.count("\n") == 1 and "127.0.0.1:9" in gone.stderr


def test_rest_as_documented(development_server):
    """tensorflow.org/tfx/serving/api_rest: both request forms, status, metadata, errors, strings, metrics."""
    url = f"{development_server['rest']}/v1/models"
    grids = boxes(2, 32).grids()
    packed = pack(grids)
    rows = {"signature_name": "compress", "instances": [{"packed": row.tolist()} for row in packed]}
    bare = {"signature_name": "compress", "instances": packed.tolist()}
    columns = {"signature_name": "compress", "inputs": {"packed": packed.tolist()}}
    by_row = requests.post(f"{url}/encoder:predict", json=rows).json()["predictions"]
    assert by_row == requests.post(f"{url}/encoder/versions/1:predict", json=bare).json()["predictions"]
    assert by_row == requests.post(f"{url}/encoder/labels/stable:predict", json=columns).json()["outputs"]
    classes = requests.post(f"{url}/voxnet:predict", json={**bare, "signature_name": "classify"}).json()["predictions"]
    assert {row.keys() == {"probabilities", "class_name_bytes"} for row in classes} == {True}
    assert base64.b64decode(classes[0]["class_name_bytes"]["b64"]) in (b"bathtub", b"chair")
    assert requests.get(f"{url}/encoder").json() == {
        "model_version_status": [
            {"version": "1", "state": "AVAILABLE", "status": {"error_code": "OK", "error_message": ""}}
        ]
    }
    metadata = requests.get(f"{url}/encoder/metadata").json()
    definition = metadata["metadata"]["signature_def"]["signature_def"]["compress"]
    assert definition["inputs"]["packed"]["dtype"] == "DT_UINT8"
    assert [dim["size"] for dim in definition["inputs"]["packed"]["tensor_shape"]["dim"]] == ["-1", "4096"]
    for path, body, status in (
        ("encoder:predict", "{", 400),
        ("encoder:predict", "{}", 400),
        ("encoder:predict", json.dumps({**columns, "inputs": {"packed": [["a"]]}}), 400),
        ("encoder:predict", json.dumps({**columns, "inputs": {"packed": [[999] * 4096]}}), 400),
        ("encoder:predict", json.dumps({**columns, "inputs": {"packed": [[1, 2], [3]]}}), 400),
        ("nobody:predict", json.dumps(columns), 404),
        ("encoder/versions/7:predict", json.dumps(columns), 404),
        ("encoder:classify", json.dumps(columns), 400),
    ):
        reply = requests.post(f"{url}/{path}", data=body)
        assert reply.status_code == status and reply.json()["error"], (path, body[:40], reply.text)
    metrics = requests.get(f"{development_server['rest']}/monitoring/prometheus/metrics").text
    assert ':tensorflow:serving:request_count{model_name="encoder",status="OK"}' in metrics


def test_joined_requests_give_what_single_ones_give(exported):
    registry = Registry([ModelConfig("encoder", exported / "encoder")], BatchingParameters(8, 20_000, 100, 1))
    registry.update()
    model = registry.find(Model("encoder"))
    packed = pack(boxes(12, 32).grids())
    plain = Registry([ModelConfig("encoder", exported / "encoder")])
    plain.update()
    expected = plain.find(Model("encoder")).predict("compress", {"packed": packed})["symbols"]
    found = {}

    def ask(index):
        found[index] = model.predict("compress", {"packed": packed[index : index + 2]})["symbols"]

    threads = [threading.Thread(target=ask, args=(index,)) for index in range(0, 12, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    np.testing.assert_array_equal(np.concatenate([found[index] for index in range(0, 12, 2)]), expected)
    with pytest.raises(ServingError, match="larger than maximum"):
        model.predict("compress", {"packed": packed[:9]})
    model.close()  # a request that comes now is answered all the same
    np.testing.assert_array_equal(model.predict("compress", {"packed": packed[:2]})["symbols"], expected[:2])


def test_requests_are_joined_and_a_full_queue_refuses():
    seen, gate = [], threading.Event()

    def run(inputs):
        gate.wait()
        seen.append(len(inputs["x"]))
        return {"y": inputs["x"] * 2}

    batcher = Batcher(run, BatchingParameters(4, 50_000, 2, 1))
    results, errors = [], []

    def ask(value):
        try:
            results.append((value, batcher.submit({"x": np.array([value])})["y"].tolist()))
        except ServingError as error:
            errors.append(error.code)

    first = threading.Thread(target=ask, args=(0,))
    first.start()
    time.sleep(0.2)  # it is under way by itself
    others = [threading.Thread(target=ask, args=(value,)) for value in range(1, 11)]
    for thread in others:
        thread.start()
    time.sleep(0.2)
    gate.set()
    for thread in [first, *others]:
        thread.join()
    assert errors == ["UNAVAILABLE"] * 2  # of ten, eight fit into the queue
    assert sorted(results) == [(value, [2 * value]) for value, _ in sorted(results)] and len(results) == 9
    assert seen[0] == 1 and sum(seen) == 9 and max(seen) == 4
    batcher.close()


def test_an_error_in_a_joined_request_reaches_its_callers():
    def run(inputs):
        raise ServingError("INTERNAL", "broken")

    with pytest.raises(ServingError, match="broken"):
        Batcher(run, BatchingParameters(4, 1000, 2, 1)).submit({"x": np.zeros(1)})


def test_versions_come_and_go(exported, tmp_path):
    shutil.copytree(exported / "voxnet" / "1", tmp_path / "voxnet" / "1")
    (tmp_path / "voxnet" / ".2.77.tmp").mkdir()  # half of a model, as an export leaves that is under way
    latest = Registry([ModelConfig("voxnet", tmp_path / "voxnet")])
    both = Registry([ModelConfig("voxnet", tmp_path / "voxnet", latest=0, labels={"stable": 1, "canary": 2})])
    for registry in (latest, both):
        registry.update()
        assert registry.states(Model("voxnet")) == {1: "AVAILABLE"}
    (tmp_path / "voxnet" / ".2.77.tmp").rmdir()
    shutil.copytree(exported / "voxnet" / "1", tmp_path / "voxnet" / "2")
    for registry in (latest, both):
        registry.update()
        assert registry.find(Model("voxnet")).version == 2
    assert latest.states(Model("voxnet")) == {1: "END", 2: "AVAILABLE"}
    assert both.find(Model("voxnet", label="stable")).version == 1
    assert both.find(Model("voxnet", label="canary")).version == 2
    shutil.rmtree(tmp_path / "voxnet" / "2")  # rolled back
    latest.update()
    assert latest.find(Model("voxnet")).version == 1


def test_the_configuration_that_ships_is_read():
    folder = pathlib.Path(__file__).parents[2] / "export" / "serving"
    configs = {config.name: config for config in read_config(folder / "models.config")}
    assert configs.keys() == {"encoder", "decoder", "generator", "voxnet"}
    assert configs["encoder"].labels.keys() == {"stable"} and configs["encoder"].latest == 2
    parameters = read_parameters(folder / "batching.config")
    assert parameters.max_batch_size == 32 and parameters.batch_timeout_micros == 2000


def test_configurations_that_cannot_be_read_get_a_sentence(tmp_path):
    (tmp_path / "bad.config").write_text("model_config_list { config { nom: 'x' } }")
    with pytest.raises(InputError, match="--model_config_file"):
        read_config(tmp_path / "bad.config")
    (tmp_path / "zero.config").write_text("max_batch_size { value: 0 }")
    for name in ("zero.config", "none.config"):
        with pytest.raises(InputError, match="--batching_parameters_file"):
            read_parameters(tmp_path / name)
    for words, part in (([], "give one of them"), ([f"--models={tmp_path}"], "no exported model")):
        result = run_command("serve", *words, check=False)
        assert result.returncode == 1 and part in result.stderr and result.stderr.count("\n") == 1


def test_a_taken_port_gets_a_sentence(development_server):
    port = int(development_server["rest"].rpartition(":")[2])
    with pytest.raises(InputError, match="--rest_port"):
        Server(Registry([]), rest_port=port)
    with pytest.raises(InputError, match="--port"):
        Server(Registry([]), port=int(development_server["grpc"].rpartition(":")[2]))


@pytest.fixture
def process(exported):
    """A server in a process of its own, and its addresses."""
    command = [sys.executable, "-m", "keras3dgan.commands.serve", f"--models={exported}", "--port=0", "--rest_port=0"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=command_environment())
    line = server.stdout.readline()
    assert "encoder [1]" in line, line
    yield server, line.split("gRPC on ")[1].split(",")[0], line.split("REST on ")[1].strip()
    server.kill()
    server.wait()
    server.stdout.close()


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
    time.sleep(1)
    server.kill()
    for thread in threads:
        thread.join(timeout=30)
    assert len(errors) == 2 and all(error.code == "UNAVAILABLE" and "\n" not in str(error) for error in errors)


def test_sigterm_ends_the_server_in_order(process):
    server, grpc_address, _ = process
    assert Client(grpc_address).versions("encoder") == {1: "AVAILABLE"}
    server.send_signal(signal.SIGTERM)
    assert server.wait(timeout=30) == 128 + signal.SIGTERM
