"""Requests over TensorFlow Serving's REST API; needs no TensorFlow."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np

from keras3dgan.errors import InputError
from keras3dgan.serving.transport import HTTP_CODES, Model, ServingError, Transport

try:
    import requests
except ModuleNotFoundError as error:
    raise InputError("REST needs requests; type pip install '.[serving]' in the checkout.") from error


class RestTransport(Transport):
    """Speaks to `http://host:port` or `https://host:port`; 8501 is TensorFlow Serving's default.

    Args:
        address: of the server.
        tls_ca: PEM file of the authority of its certificate; default: those that requests trusts.
        token: shown to it.
    """

    def __init__(self, address: str, tls_ca: str | None = None, token: str | None = None):
        self.address = address.rstrip("/")
        self._session = requests.Session()
        self._verify = tls_ca or True
        self._token = token

    def predict(
        self, model: Model, signature: str, inputs: dict[str, np.ndarray], timeout: float
    ) -> dict[str, np.ndarray]:
        body = {"signature_name": signature, "inputs": {name: _to_json(value) for name, value in inputs.items()}}
        outputs = self._ask("POST", f"{_path(model)}:predict", model, timeout, body)["outputs"]
        # A signature with one output gives its value, one with several gives them by name.
        if not isinstance(outputs, dict) or "b64" in outputs:
            return {"": _from_json(outputs)}
        return {name: _from_json(value) for name, value in outputs.items()}

    def versions(self, model: Model, timeout: float) -> dict[int, str]:
        reply = self._ask("GET", _path(model), model, timeout)
        return {int(status["version"]): status["state"] for status in reply["model_version_status"]}

    def close(self) -> None:
        self._session.close()

    def _ask(self, method: str, path: str, model: Model, timeout: float, body: Any = None) -> dict[str, Any]:
        try:
            # Both here, not in the session, whose values ~/.netrc and REQUESTS_CA_BUNDLE override.
            reply = self._session.request(
                method,
                f"{self.address}{path}",
                json=body,
                timeout=timeout,
                verify=self._verify,
                auth=self._show_token if self._token else None,
            )
            content = reply.json()
        except requests.Timeout as error:
            raise ServingError(
                "DEADLINE_EXCEEDED", f"{self.address}, {model}: no answer in {timeout:.3g} s."
            ) from error
        except (requests.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
            code = HTTP_CODES.get(reply.status_code, "INTERNAL")
            raise ServingError(
                code, f"{self.address}: answers no JSON (HTTP {reply.status_code}); is it a REST port?"
            ) from error
        except requests.exceptions.SSLError as error:
            text = f"{self.address}: its certificate is not trusted; give its authority as tls_ca."
            raise ServingError("UNAUTHENTICATED", text) from error
        except requests.RequestException as error:
            raise ServingError("UNAVAILABLE", f"{self.address}: cannot be reached ({type(error).__name__}).") from error
        if not reply.ok:
            code = HTTP_CODES.get(reply.status_code, "INTERNAL")
            raise ServingError(code, f"{self.address}, {model}: {code}: {content.get('error', '')}")
        return content

    def _show_token(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


def _path(model: Model) -> str:
    path = f"/v1/models/{model.name}"
    if model.version is not None:
        return f"{path}/versions/{model.version}"
    return f"{path}/labels/{model.label}" if model.label else path


def _to_json(value: np.ndarray) -> Any:
    return np.asarray(value).tolist()


def _from_json(value: Any) -> np.ndarray:
    if isinstance(value, dict):
        return np.array(base64.b64decode(value["b64"]), object)
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return np.array([base64.b64decode(item["b64"]) for item in value], object)
    return np.array(value)
