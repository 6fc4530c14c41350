"""The contract between client and server, over gRPC and REST; the same against a TensorFlow Serving (see conftest.py)."""

import os
import socket
import threading
import time

import numpy as np
import pytest

from keras3dgan.errors import InputError
from keras3dgan.serving import Client, ServingError
from keras3dgan.serving.transport import Model
from keras3dgan.voxels.grid import packed_size
from tests.conftest import boxes

ours_only = pytest.mark.skipif("TF_SERVING_ADDRESS" in os.environ, reason="needs the development server's own limits")


@pytest.fixture(params=["grpc", "rest"])
def client(request, addresses):
    client = Client(addresses[request.param], timeout=20, batch=4)
    yield client
    client.close()


def test_round_trip(client):
    grids = boxes(6, client.resolution).grids()  # more than a batch
    streams = client.encode(grids)
    assert len(streams) == 6 and all(stream.startswith(b"G\x03") for stream in streams)
    restored = client.decode(streams)
    assert restored.shape == grids.shape and restored.dtype == np.float32 and set(np.unique(restored)) <= {0, 1}
    np.testing.assert_array_equal(client.decode(streams[2:3])[0], restored[2])
    assert client.decode([]).shape == (0, *grids.shape[1:]) and client.encode(grids[:0]) == []


def test_grpc_and_rest_give_the_same(addresses):
    grids = boxes(2, 32).grids()
    found = []
    for address in addresses.values():
        client = Client(address)
        found.append((client.encode(grids), client.generate(2, seed=5), client.classify(grids)))
        client.close()
    (a_streams, a_made, a_names), (b_streams, b_made, b_names) = found
    assert a_streams == b_streams and a_names == b_names and set(a_names) <= {"bathtub", "chair"}
    np.testing.assert_allclose(a_made, b_made, atol=1e-6)
    assert a_made.shape == (2, 32, 32, 32)


def test_versions_and_labels(addresses):
    for address in addresses.values():
        client = Client(address, version=1)
        assert client.versions("encoder") == {1: "AVAILABLE"} and client.coder.size
        with pytest.raises(ServingError, match="encoder.*NOT_FOUND"):
            _ = Client(address, version=99, retries=0).coder
        with pytest.raises(ServingError) as error:
            Client(address).versions("nobody")
        assert error.value.code == "NOT_FOUND"
        client.close()
    with pytest.raises(InputError, match="version, label"):
        Client(addresses["rest"], version=1, label="stable")


@ours_only
def test_a_label_is_a_name_for_a_version(addresses):
    for address in addresses.values():
        assert Client(address, label="stable").coder.size
        with pytest.raises(ServingError, match="canary"):
            _ = Client(address, label="canary").coder


@pytest.mark.parametrize(
    ("signature", "inputs", "code"),
    [
        ("compress", {"packed": np.zeros((1, 7), np.uint8)}, "INVALID_ARGUMENT"),
        ("compress", {"voxels": np.zeros((1, 4096), np.uint8)}, "INVALID_ARGUMENT"),
        ("compress", {}, "INVALID_ARGUMENT"),
        ("shrink", {"packed": np.zeros((1, 4096), np.uint8)}, None),
    ],
)
def test_bad_requests_get_an_error_and_the_next_is_answered(client, signature, inputs, code):
    with pytest.raises(ServingError) as error:
        client._transport.predict(Model("encoder"), signature, inputs, 20)
    assert error.value.code in ((code,) if code else ("INVALID_ARGUMENT", "FAILED_PRECONDITION", "NOT_FOUND"))
    assert client._transport.address in str(error.value) and "\n" not in str(error.value)
    assert len(client.encode(boxes(1, client.resolution).grids())) == 1


@ours_only
def test_a_message_that_is_too_large_is_refused_and_the_next_is_answered(client):
    huge = {"packed": np.zeros((600, packed_size(32)), np.uint8)}  # 2.4 MB as bytes, 1.2 MB as JSON
    with pytest.raises(ServingError) as error:
        client._transport.predict(Model("encoder"), "compress", huge, 20)
    assert error.value.code in ("RESOURCE_EXHAUSTED", "UNAVAILABLE")
    assert len(client.encode(boxes(1, 32).grids())) == 1


def test_damaged_and_foreign_streams_get_a_sentence(client):
    [stream] = client.encode(boxes(1, client.resolution).grids())
    for content, words in ((stream[:-1], "checksum"), (b"PK", "not a .g3c")):
        with pytest.raises(InputError, match=rf"a\.g3c: .*{words}"):
            client.decode([content], ["a.g3c"])


@pytest.mark.parametrize("scheme", ["", "http://"])
def test_nobody_there(scheme):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"{scheme}127.0.0.1:{taken.getsockname()[1]}"
        begin = time.monotonic()
        with pytest.raises(ServingError) as error:
            Client(address, retries=2, timeout=10).versions("encoder")
        assert error.value.code == "UNAVAILABLE" and address in str(error.value)
        assert 0.1 < time.monotonic() - begin < 8


@pytest.mark.parametrize("scheme", ["", "http://"])
def test_a_server_that_never_answers_costs_the_deadline_and_no_more(scheme):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        begin = time.monotonic()
        with pytest.raises(ServingError) as error:
            Client(f"{scheme}127.0.0.1:{listener.getsockname()[1]}", timeout=1).versions("encoder")
        assert error.value.code in ("DEADLINE_EXCEEDED", "UNAVAILABLE") and time.monotonic() - begin < 5


class _Failing:
    """A transport that fails as it is told, and then answers."""

    def __init__(self, *codes):
        self.codes = list(codes)
        self.asked = 0
        self.address = "nowhere"

    def versions(self, model, timeout):
        self.asked += 1
        if self.codes:
            raise ServingError(self.codes.pop(0), "told to fail")
        return {1: "AVAILABLE"}

    def close(self):
        pass


def _client(transport, **kwargs):
    client = Client("http://unused", **kwargs)
    client._transport = transport
    return client


def test_only_what_may_help_is_asked_again():
    for codes, asked, fails in (
        (["UNAVAILABLE", "UNAVAILABLE"], 3, False),
        (["INVALID_ARGUMENT"], 1, True),
        (["DEADLINE_EXCEEDED"], 1, True),
        (["UNAVAILABLE", "NOT_FOUND"], 2, True),
        (["UNAVAILABLE"] * 9, 5, True),
    ):
        transport = _Failing(*codes)
        if fails:
            with pytest.raises(ServingError):
                _client(transport).versions("encoder")
        else:
            assert _client(transport).versions("encoder") == {1: "AVAILABLE"}
        assert transport.asked == asked


@pytest.mark.parametrize(
    "content", [b"[]", b"{}", b'{"outputs": {"other": [1]}}', b"<html>", b"[" * 50_000, b'{"outputs": 3}', b"\xff"]
)
def test_an_answer_of_another_kind_gets_a_sentence(content):
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer():
            with listener.accept()[0] as connection:
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(content), content))

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(ServingError, match="127.0.0.1"):
            _ = Client(f"http://127.0.0.1:{listener.getsockname()[1]}", timeout=5).coder
        thread.join()


def test_pauses_grow_and_end_at_the_deadline():
    transport = _Failing(*["UNAVAILABLE"] * 99)
    begin = time.monotonic()
    with pytest.raises(ServingError):
        _client(transport, timeout=1.0, retries=99).versions("encoder")
    assert time.monotonic() - begin < 1.2 and 3 <= transport.asked <= 6


def test_many_clients_at_once(addresses):
    grids = boxes(8, 32).grids()
    client = Client(addresses["grpc"])
    alone = client.encode(grids)
    found: dict[int, list[bytes]] = {}

    def ask(index):
        found[index] = client.encode(grids[index : index + 1])

    threads = [threading.Thread(target=ask, args=(index,)) for index in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [found[index][0] for index in range(8)] == alone
    client.close()
