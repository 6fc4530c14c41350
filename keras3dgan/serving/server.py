"""A development server that keeps to TensorFlow Serving's contract, for people without Docker. It is not TensorFlow Serving."""

from __future__ import annotations

import concurrent.futures
import pathlib
import socket
import threading

import grpc
import uvicorn
from tensorflow_serving.apis import model_service_pb2_grpc, prediction_service_pb2_grpc

from keras3dgan.errors import InputError
from keras3dgan.serving.models import Limits, Registry
from keras3dgan.serving.rest import RestService
from keras3dgan.serving.service import Service
from keras3dgan.serving.transport import read_token

_GRACE = 5  # seconds for requests under way, when the server is to stop


class Server:
    """gRPC and REST over the same models.

    Args:
        registry: of the models.
        port: for gRPC; 0 for a free one.
        rest_port: for REST; 0 for a free one.
        host: to listen on.
        limits: of a request; default: `Limits()`.
        tls_cert: PEM file of a certificate chain; turns encryption on.
        tls_key: PEM file of its key.
        token_file: file with the token that clients must show; needs encryption.

    Attributes:
        address: of gRPC, for clients.
        rest_address: of REST, for clients.

    Raises:
        InputError: a port is taken, or a file is not what it should be.
    """

    def __init__(
        self,
        registry: Registry,
        port: int = 0,
        rest_port: int = 0,
        host: str = "127.0.0.1",
        limits: Limits | None = None,
        tls_cert: str | None = None,
        tls_key: str | None = None,
        token_file: str | None = None,
    ):
        if (tls_cert is None) != (tls_key is None) or (token_file and not tls_cert):
            raise InputError("tls_cert, tls_key, token_file: give the first two together, and both with a token.")
        service = Service(registry, limits or Limits(), read_token(token_file))
        app = RestService(service).app
        config = uvicorn.Config(
            app,
            http="h11",
            ws="none",
            ssl_certfile=tls_cert,
            ssl_keyfile=tls_key,
            log_level="error",
            access_log=False,
            timeout_graceful_shutdown=_GRACE,
        )
        try:
            config.load()
            pair = [pathlib.Path(path).read_bytes() for path in (tls_key, tls_cert) if path]
        except OSError as error:
            raise InputError(f"{tls_cert}, {tls_key}: no certificate and its key in PEM ({error}).") from error
        self._grpc, port = _grpc_server(service, host, port, pair)
        self.address = f"{'grpcs://' if pair else ''}{host}:{port}"
        try:
            listener = socket.create_server((host, rest_port), backlog=128)
        except OSError as error:
            raise InputError(f"rest_port: {host}:{rest_port} cannot be listened on; choose another.") from error
        # Connections take it over; else a reply's body waits 40 ms for the acknowledgement of its head.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.rest_address = f"{'https' if pair else 'http'}://{host}:{listener.getsockname()[1]}"
        self._rest = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._rest.run, args=([listener],), daemon=True)

    def start(self) -> None:
        """Answers requests from here on, in threads of its own."""
        self._grpc.start()
        self._thread.start()

    def stop(self) -> None:
        """Lets requests under way end, and takes no more."""
        self._rest.should_exit = True
        self._grpc.stop(grace=_GRACE).wait()
        self._thread.join()


def _grpc_server(service: Service, host: str, port: int, pair: list[bytes]) -> tuple[grpc.Server, int]:
    """A server, and the port it will listen on; encrypted by a key and its certificate."""
    limits, milliseconds = service.limits, round(1000 * service.limits.seconds)
    options = {
        "grpc.max_receive_message_length": limits.bytes,
        "grpc.max_send_message_length": 2 * limits.bytes,
        # A request that never arrives would hold its thread; clients renew connections by themselves.
        "grpc.max_connection_age_ms": milliseconds,
        "grpc.max_connection_age_grace_ms": milliseconds,
        "grpc.so_reuseport": 0,
    }
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(limits.at_once), options=[*options.items()])
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(service, server)
    model_service_pb2_grpc.add_ModelServiceServicer_to_server(service, server)
    try:
        if pair:
            return server, server.add_secure_port(f"{host}:{port}", grpc.ssl_server_credentials([pair]))
        return server, server.add_insecure_port(f"{host}:{port}")
    except RuntimeError as error:
        raise InputError(f"port: {host}:{port} cannot be listened on; choose another.") from error
