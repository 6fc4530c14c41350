"""Encryption and a token, as the client shows them, on loopback: the server asks for both, as behind a proxy."""

import concurrent.futures
import contextlib
import socket
import threading

import grpc
import pytest
from tensorflow_serving.apis import model_service_pb2_grpc, prediction_service_pb2_grpc

from keras3dgan.errors import InputError
from keras3dgan.serving import Client, ServingError
from tests.conftest import boxes

SHOWN = "Bearer s3cret"


class _Guard(grpc.ServerInterceptor):
    """Lets in who shows the token."""

    def intercept_service(self, continuation, details):
        if dict(details.invocation_metadata).get("authorization") == SHOWN:
            return continuation(details)
        return grpc.unary_unary_rpc_method_handler(
            lambda request, context: context.abort(grpc.StatusCode.UNAUTHENTICATED, "no token")
        )


@pytest.fixture(scope="module")
def secure(registry, secrets):
    """Addresses of the development server's service behind a certificate and a token."""
    import uvicorn
    from starlette.responses import JSONResponse

    from keras3dgan.serving.models import Limits
    from keras3dgan.serving.service import Service

    async def guarded(scope, receive, send):
        known = scope["type"] != "http" or dict(scope["headers"]).get(b"authorization") == SHOWN.encode()
        await (service.app if known else JSONResponse({"error": "no token"}, 401))(scope, receive, send)

    service, paths = Service(registry, Limits()), (secrets / "tls.key", secrets / "tls.crt")
    over_grpc = grpc.server(concurrent.futures.ThreadPoolExecutor(4), interceptors=[_Guard()])
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(service, over_grpc)
    model_service_pb2_grpc.add_ModelServiceServicer_to_server(service, over_grpc)
    pair = tuple(path.read_bytes() for path in paths)
    port = over_grpc.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials([pair]))
    listener = socket.create_server(("127.0.0.1", 0))
    rest = uvicorn.Server(
        uvicorn.Config(guarded, ssl_keyfile=paths[0], ssl_certfile=paths[1], log_level="error", ws="none")
    )
    thread = threading.Thread(target=rest.run, args=([listener],), daemon=True)
    over_grpc.start()
    thread.start()
    yield {"grpc": f"grpcs://127.0.0.1:{port}", "rest": f"https://127.0.0.1:{listener.getsockname()[1]}"}
    rest.should_exit = True
    over_grpc.stop(grace=5).wait()
    thread.join()


@pytest.mark.parametrize("transport", ["grpc", "rest"])
def test_encryption_and_a_token(secure, secrets, transport):
    address = secure[transport]
    ca, token = str(secrets / "ca.pem"), str(secrets / "token")
    with contextlib.closing(Client(address, tls_ca=ca, token_file=token)) as client:
        assert client.versions("encoder") == {1: "AVAILABLE"} and len(client.encode(boxes(1, 32).grids())) == 1
    for wrong in (None, str(secrets / "wrong")):
        client = Client(address, tls_ca=ca, token_file=wrong)
        with contextlib.closing(client), pytest.raises(ServingError) as error:
            client.versions("encoder")
        assert error.value.code == "UNAUTHENTICATED"
    for other in (None, str(secrets / "other.pem")):
        with pytest.raises(ServingError) as error:
            Client(address, tls_ca=other, token_file=token, retries=0, timeout=5).versions("encoder")
        assert error.value.code in ("UNAVAILABLE", "UNAUTHENTICATED")
    clear = address.replace("https://", "http://").removeprefix("grpcs://")
    with pytest.raises(InputError, match="not encrypted"):
        Client(clear, token_file=token)
    with pytest.raises(ServingError):
        Client(clear, retries=0, timeout=5).versions("encoder")


def test_a_token_is_not_replaced_by_what_netrc_says(secure, secrets, tmp_path, monkeypatch):
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login someone password else\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(secrets / "other.pem"))
    client = Client(secure["rest"], tls_ca=str(secrets / "ca.pem"), token_file=str(secrets / "token"))
    with contextlib.closing(client):
        assert client.versions("encoder") == {1: "AVAILABLE"}


@pytest.mark.parametrize("name", ["no.pem", "none.pem"])
@pytest.mark.parametrize("address", ["https://127.0.0.1:1", "grpcs://127.0.0.1:1"])
def test_an_authority_that_cannot_be_read_gets_a_sentence(tmp_path, name, address):
    (tmp_path / "no.pem").write_text("no")
    with pytest.raises(InputError, match=name):
        Client(address, tls_ca=str(tmp_path / name))
