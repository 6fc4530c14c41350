"""Compresses and restores shapes on a server that has the exported models; entropy coding runs here."""

from __future__ import annotations

import functools
import random
import ssl
import time
from collections.abc import Callable
from typing import TypeVar

import numpy as np

from keras3dgan.codec.latent.entropy_coder import EntropyCoder
from keras3dgan.codec.latent.latent_codec import LatentCodec
from keras3dgan.errors import InputError
from keras3dgan.serving.transport import Model, ServingError, Transport, read_token
from keras3dgan.voxels.grid import pack, unpack

T = TypeVar("T")
# The server was not reached, or is too busy to begin. All requests here change nothing, so asking again harms nobody.
_RETRIED = ("UNAVAILABLE",)
_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 5.0


class Client(LatentCodec):
    """Speaks to a TensorFlow Serving, or to `keras3dgan serve`, that has what `export_models` wrote; a codec like any other.

    Args:
        address: `host:port` for gRPC, `http://host:port` for REST; encrypted `grpcs://` and `https://`.
        version: of the models; default: the latest.
        label: a name for a version, as `canary`.
        timeout: seconds for one request, its retries included.
        retries: how often at most a request is sent again when the server cannot be reached or has no room.
        batch: shapes a request.
        tls_ca: PEM file of the authority of an encrypted server's certificate; default: the public ones.
        token_file: file with a bearer token, shown to an encrypted server.

    Raises:
        InputError: gRPC's packages are not installed, version and label are both given, or a file cannot be used.

    Example:
        >>> client = Client("http://localhost:8501", timeout=10)  # asks nothing yet
        >>> client.close()
    """

    def __init__(
        self,
        address: str,
        version: int | None = None,
        label: str | None = None,
        timeout: float = 30.0,
        retries: int = 4,
        batch: int = 32,
        tls_ca: str | None = None,
        token_file: str | None = None,
    ):
        if version is not None and label:
            raise InputError("version, label: give one of them, a label is a name for a version.")
        for name, value, least in (("timeout", timeout, 0.001), ("retries", retries, 0), ("batch", batch, 1)):
            if not value >= least:
                raise InputError(f"must be at least {least}, got {value}.", name)
        self.timeout = timeout
        self.retries = retries
        self.batch = batch
        self._which = {"version": version, "label": label}
        self._transport = _connect(address, tls_ca, read_token(token_file))

    @functools.cached_property
    def coders(self) -> list[EntropyCoder]:  # type: ignore[override]
        """One, of the latents, as the server's encoder and decoder describe it.

        Raises:
            ServingError: no answer, or the two do not belong together.
        """
        index = {"index": np.zeros(1, np.int32)}
        found = [self._predict(name, "describe", index, "coder_bytes")[0] for name in ("encoder", "decoder")]
        coders = [EntropyCoder.from_bytes(content, f"{self._transport.address}") for content in found]
        if coders[0].fingerprint != coders[1].fingerprint:
            raise ServingError(
                "FAILED_PRECONDITION",
                f"{self._transport.address}: its encoder and decoder are of different models; export both from one run.",
            )
        return coders[:1]

    def analyse(self, grids: np.ndarray) -> np.ndarray:
        """Latents (count, k), quantised by the server, of grids (count, n, n, n) of zeros and ones.

        Raises:
            ServingError: a request failed; the message says which server, model and why.
        """
        parts = [
            self._predict("encoder", "compress", {"packed": pack(grids[start : start + self.batch])}, "symbols")
            for start in range(0, len(grids), self.batch)
        ]
        return self.coder.dequantize(np.concatenate(parts))

    def synthesise(self, latents: np.ndarray) -> np.ndarray:
        """Grids float32 (count, n, n, n) of zeros and ones, of latents (count, k) that are quantised.

        Raises:
            ServingError: a request failed.
        """
        symbols = self.coder.quantize(latents)
        parts = [
            self._predict("decoder", "decompress", {"symbols": symbols[start : start + self.batch]}, "packed")
            for start in range(0, len(symbols), self.batch)
        ]
        return unpack(np.concatenate(parts).astype(np.uint8), self.resolution).astype(np.float32)

    def generate(self, count: int, seed: int = 0) -> np.ndarray:
        """Occupancy float32 (count, n, n, n) in [0, 1] of new shapes; the same for the same seed.

        Raises:
            ServingError: a request failed.
        """
        inputs: dict[str, np.ndarray] = {"seed": np.array(seed, np.int64), "count": np.array(count, np.int32)}
        return self._predict("generator", "generate", inputs, "occupancy").astype(np.float32)[..., 0]

    def classify(self, grids: np.ndarray) -> list[str]:
        """The most likely class of each grid (count, n, n, n) of zeros and ones.

        Raises:
            ServingError: a request failed.
        """
        names: list[str] = []
        for start in range(0, len(grids), self.batch):
            found = self._predict(
                "voxnet", "classify", {"packed": pack(grids[start : start + self.batch])}, "class_name_bytes"
            )
            names += [name.decode() for name in found]
        return names

    def versions(self, name: str) -> dict[int, str]:
        """The versions of a model on the server, and their states, as `AVAILABLE`.

        Raises:
            ServingError: no answer, or no such model.
        """
        return self._retry(lambda left: self._transport.versions(Model(name), left))

    def close(self) -> None:
        """Ends the connection."""
        self._transport.close()

    def _predict(self, name: str, signature: str, inputs: dict[str, np.ndarray], output: str) -> np.ndarray:
        model = Model(name, **self._which)  # type: ignore[arg-type]
        try:
            found = self._retry(lambda left: self._transport.predict(model, signature, inputs, left))
            value = found[output] if output in found else found[""]  # over REST an only output has no name
            if not value.shape:
                raise TypeError("a number in place of a batch")
            return value
        except (KeyError, TypeError, AttributeError) as error:
            text = (
                f"{self._transport.address}, {model}: answers {signature} with no {output}; is it TensorFlow Serving?"
            )
            raise ServingError("INTERNAL", text) from error

    def _retry(self, ask: Callable[[float], T]) -> T:
        """What `ask(seconds left)` gives, asked again after growing pauses while that may help and there is time."""
        end = time.monotonic() + self.timeout
        for attempt in range(self.retries + 1):
            try:
                return ask(max(end - time.monotonic(), 0.001))
            except ServingError as error:
                # Each client pauses for another time, so that those who failed together do not come back together.
                pause = min(_FIRST_PAUSE * 2**attempt, _LONGEST_PAUSE) * random.uniform(0.5, 1.0)
                if error.code not in _RETRIED or attempt == self.retries or time.monotonic() + pause >= end:
                    raise
                time.sleep(pause)
        raise AssertionError("unreachable")


def _connect(address: str, tls_ca: str | None, token: str | None) -> Transport:
    if not address.startswith(("https://", "grpcs://")) and (tls_ca or token):
        raise InputError(f"tls_ca, token_file: {address} is not encrypted; give an https:// or grpcs:// address.")
    try:
        ssl.create_default_context(cafile=tls_ca)
    except OSError as error:
        raise InputError(f"{tls_ca}: holds no certificates in PEM ({error}).") from error
    if address.startswith(("http://", "https://")):
        from keras3dgan.serving.rest_transport import RestTransport

        return RestTransport(address, tls_ca, token)
    from keras3dgan.serving.grpc_transport import GrpcTransport

    return GrpcTransport(address, tls_ca, token)
