"""A server for the tests of the client: TensorFlow Serving where `TF_SERVING_ADDRESS` names one, else ours."""

import os

import pytest


@pytest.fixture(scope="session")
def addresses(request) -> dict[str, str]:
    """`grpc` and `rest` -> address. `TF_SERVING_ADDRESS=host:8500,http://host:8501` names a server of exported models."""
    named = os.environ.get("TF_SERVING_ADDRESS")
    if named:
        return dict(zip(("grpc", "rest"), named.split(","), strict=True))
    return request.getfixturevalue("development_server")


@pytest.fixture(scope="session")
def development_server(exported):
    from keras3dgan.serving.models import ModelConfig, Registry
    from keras3dgan.serving.server import Server

    registry = Registry([ModelConfig(path.name, path, labels={"stable": 1}) for path in sorted(exported.iterdir())])
    registry.update()
    server = Server(registry, max_bytes=1 << 20)
    server.start()
    yield {"grpc": f"127.0.0.1:{server.port}", "rest": f"http://127.0.0.1:{server.rest_port}"}
    server.stop()
