"""The proxy that ships for Kubernetes, where nginx is installed: encryption and a token for a server that has neither."""

import pathlib
import shutil
import socket
import subprocess

import pytest

from keras3dgan.serving import Client, ServingError

pytestmark = pytest.mark.skipif(shutil.which("nginx") is None, reason="nginx is not installed")
CONFIG = pathlib.Path(__file__).parents[2] / "export" / "serving" / "nginx.conf"


@pytest.fixture(scope="module")
def proxied(development_server, secrets, tmp_path_factory):
    """Addresses of the proxy."""
    folder = tmp_path_factory.mktemp("proxy")
    (secrets / "token.map").write_text('"Bearer s3cret" 1;\n')
    with socket.socket() as one, socket.socket() as other:
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        ports = [str(one.getsockname()[1]), str(other.getsockname()[1])]
    text = CONFIG.read_text().replace("/secrets", str(secrets)).replace("/tmp/nginx", str(folder / "nginx"))
    for old, new in (
        ("listen 9500", f"listen 127.0.0.1:{ports[0]}"),
        ("listen 9501", f"listen 127.0.0.1:{ports[1]}"),
        ("127.0.0.1:8500", development_server["grpc"]),
        ("127.0.0.1:8501", development_server["rest"].removeprefix("http://")),
    ):
        assert old in text
        text = text.replace(old, new)
    (folder / "nginx.conf").write_text(text)
    options = f"daemon off; user {folder.owner()}; error_log {folder}/log;"
    with subprocess.Popen(["nginx", "-p", folder, "-c", folder / "nginx.conf", "-g", options]) as process:
        yield {"grpc": f"grpcs://127.0.0.1:{ports[0]}", "rest": f"https://127.0.0.1:{ports[1]}"}
        process.terminate()


@pytest.mark.parametrize("transport", ["grpc", "rest"])
def test_who_shows_the_token_is_let_through(proxied, secrets, transport):
    ca = str(secrets / "ca.pem")
    client = Client(proxied[transport], tls_ca=ca, token_file=str(secrets / "token"), timeout=20, retries=9)
    assert client.versions("encoder") == {1: "AVAILABLE"} and client.coder.size
    for token in (None, str(secrets / "wrong")):
        with pytest.raises(ServingError) as error:
            Client(proxied[transport], tls_ca=ca, token_file=token).versions("encoder")
        assert error.value.code == "UNAUTHENTICATED"
