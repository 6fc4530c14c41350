"""A development server that keeps to TensorFlow Serving's contract, for people without Docker. It is not TensorFlow Serving."""

from __future__ import annotations

import concurrent.futures
import http.server
import threading

import grpc
from tensorflow_serving.apis import model_service_pb2_grpc, prediction_service_pb2_grpc

from keras3dgan.errors import InputError
from keras3dgan.serving import rest
from keras3dgan.serving.models import Registry
from keras3dgan.serving.monitoring import Monitor
from keras3dgan.serving.servicers import ModelServicer, PredictionServicer
from keras3dgan.serving.transport import MAX_MESSAGE_BYTES


class Server:
    """gRPC and REST over the same models.

    Args:
        registry: of the models.
        port: for gRPC; 0 for a free one.
        rest_port: for REST; 0 for a free one.
        host: to listen on.
        threads: gRPC requests that are answered at the same time.
        max_bytes: of a message.

    Raises:
        InputError: a port is taken.
    """

    def __init__(
        self,
        registry: Registry,
        port: int = 0,
        rest_port: int = 0,
        host: str = "127.0.0.1",
        threads: int = 64,
        max_bytes: int = MAX_MESSAGE_BYTES,
    ):
        self.registry = registry
        monitor = Monitor()
        options = (
            ("grpc.max_receive_message_length", max_bytes),
            ("grpc.max_send_message_length", max_bytes),
            ("grpc.so_reuseport", 0),
        )
        self._grpc = grpc.server(concurrent.futures.ThreadPoolExecutor(threads), options=options)
        prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(
            PredictionServicer(registry, monitor), self._grpc
        )
        model_service_pb2_grpc.add_ModelServiceServicer_to_server(ModelServicer(registry), self._grpc)
        try:
            self.port = self._grpc.add_insecure_port(f"{host}:{port}")
        except RuntimeError as error:
            raise InputError(f"{host}:{port} cannot be listened on; choose another port.", "port") from error
        try:
            self._rest = _Http((host, rest_port), rest.handler(registry, monitor, max_bytes))
        except OSError as error:
            raise InputError(f"{host}:{rest_port} cannot be listened on; choose another port.", "rest_port") from error
        self.rest_port = self._rest.server_address[1]

    def start(self) -> None:
        """Answers requests from here on, in threads of its own."""
        self._grpc.start()
        threading.Thread(target=self._rest.serve_forever, daemon=True).start()

    def stop(self) -> None:
        """Lets requests under way end, and takes no more."""
        self._grpc.stop(grace=5).wait()
        self._rest.shutdown()
        self._rest.server_close()


class _Http(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
