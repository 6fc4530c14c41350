"""A development server with TensorFlow Serving's contract, for people without Docker; it is not TensorFlow Serving."""

from __future__ import annotations

import concurrent.futures
import socket
import threading

import grpc
import uvicorn
from tensorflow_serving.apis import model_service_pb2_grpc, prediction_service_pb2_grpc

from keras3dgan.errors import InputError
from keras3dgan.serving.models import Limits, Registry
from keras3dgan.serving.service import Service

_GRACE = 5  # seconds for requests under way, when the server is to stop
_RENEWAL_GRACE = 60  # and when their connection is renewed


class Server:
    """gRPC at `address` and REST at `rest_address`; port 0 takes a free one, an `InputError` says that one is taken."""

    def __init__(self, registry: Registry, limits: Limits, port: int = 0, rest_port: int = 0, host: str = "127.0.0.1"):
        service = Service(registry, limits)
        options = [
            ("grpc.max_receive_message_length", limits.bytes),
            ("grpc.max_send_message_length", 2 * limits.bytes),
            ("grpc.so_reuseport", 0),
            ("grpc.max_connection_age_ms", int(1000 * limits.connection_seconds)),
            ("grpc.max_connection_age_grace_ms", 1000 * _RENEWAL_GRACE),
        ]
        self._grpc = grpc.server(concurrent.futures.ThreadPoolExecutor(limits.at_once), options=options)
        prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(service, self._grpc)
        model_service_pb2_grpc.add_ModelServiceServicer_to_server(service, self._grpc)
        try:
            self.address = f"{host}:{self._grpc.add_insecure_port(f'{host}:{port}')}"
            listener = socket.create_server((host, rest_port), backlog=128)
        except (OSError, RuntimeError) as error:
            raise InputError(f"port {port}, rest_port {rest_port}: cannot listen ({error}); choose others.") from error
        # Connections take it over; else a reply's body waits 40 ms for the acknowledgement of its head.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.rest_address = f"http://{host}:{listener.getsockname()[1]}"
        config = uvicorn.Config(service.app, http="h11", ws="none", log_level="error", timeout_graceful_shutdown=_GRACE)
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
