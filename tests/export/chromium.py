"""A headless Chromium driven over its debugging pipe: no driver program, no port, no package."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import pathlib
import select
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from typing import Any

PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser")
# Without the network flags Chromium looks for its maker's hosts at every start; as root it has no sandbox of its own.
_FLAGS = (
    "--headless=new --no-sandbox --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --hide-scrollbars --mute-audio --remote-debugging-pipe"
).split()
_SOFTWARE_WEBGL = ["--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]


class Browser:
    """One page of a running Chromium.

    Attributes:
        problems: errors and warnings of the console, exceptions and failed requests, as they came.
    """

    def __init__(self, to_browser: int, from_browser: int):
        self._to, self._from = to_browser, from_browser
        self._buffer = b""
        self._number = 0
        self._session: str | None = None
        self.problems: list[str] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method: str, timeout: float = 120.0, **parameters: Any) -> dict[str, Any]:
        """Calls a method of the DevTools protocol and waits for its answer."""
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        end = time.monotonic() + timeout
        while True:
            answer = self._receive(end - time.monotonic(), method)
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']['message']}")
                return answer["result"]
            self._notice(answer)

    def _receive(self, timeout: float, method: str) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._from], [], [], max(timeout, 0))
            content = os.read(self._from, 1 << 16) if ready else b""
            if not content:
                raise TimeoutError(f"Chromium does not answer {method}")
            self._buffer += content
        message, _, self._buffer = self._buffer.partition(b"\0")
        return json.loads(message)

    def _notice(self, event: dict[str, Any]) -> None:
        method, told = event.get("method"), event.get("params", {})
        if method == "Runtime.exceptionThrown":
            details = told["exceptionDetails"]
            self.problems.append(details.get("exception", {}).get("description", details["text"]))
        elif method == "Runtime.consoleAPICalled" and told["type"] in ("error", "warning", "assert"):
            self.problems.append(" ".join(str(a.get("value", a.get("description"))) for a in told["args"]))
        elif method == "Log.entryAdded" and told["entry"]["level"] in ("error", "warning"):
            self.problems.append(told["entry"]["text"])

    def processor_seconds(self) -> float:
        """Seconds that the page's main thread has computed."""
        self.call("Performance.enable", timeDomain="threadTicks")
        metrics = {row["name"]: row["value"] for row in self.call("Performance.getMetrics")["metrics"]}
        return metrics["TaskDuration"]

    def open(self, url: str) -> None:
        """Goes to a page and waits until it is loaded."""
        self.call("Page.navigate", url=url)
        self.wait("document.readyState === 'complete'")

    def run(self, script: str) -> Any:
        """The value of an expression, or of what it promises."""
        told = self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in told:
            raise RuntimeError(told["exceptionDetails"]["exception"].get("description", "exception"))
        return told["result"].get("value")

    def wait(self, script: str, timeout: float = 120.0) -> float:
        """Waits until an expression is true; how many seconds it took."""
        begin = time.monotonic()
        while not self.run(f"Boolean({script})"):
            if time.monotonic() - begin > timeout:
                raise TimeoutError(f"not true within {timeout} s: {script}; {self.problems}")
            time.sleep(0.02)
        return time.monotonic() - begin

    def drop(self, *paths: pathlib.Path) -> None:
        """Drops files onto the middle of the page, as a person does."""
        data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
        for kind in ("dragEnter", "dragOver", "drop"):
            self.call("Input.dispatchDragEvent", type=kind, x=200, y=300, data=data)

    def drag(self, selector: str, dx: int, dy: int) -> None:
        """Presses the pointer on the middle of an element, moves it and lets go."""
        box = self.run(f"(r => [r.x + r.width / 2, r.y + r.height / 2])({_find(selector)}.getBoundingClientRect())")
        for kind, share in (("mousePressed", 0.0), ("mouseMoved", 0.5), ("mouseMoved", 1.0), ("mouseReleased", 1.0)):
            place = {"x": box[0] + share * dx, "y": box[1] + share * dy}
            self.call("Input.dispatchMouseEvent", type=kind, button="left", buttons=1, clickCount=1, **place)

    def press(self, key: str) -> None:
        """Presses and releases a key, such as Tab, Enter or ArrowLeft."""
        codes = {"Enter": 13, "Tab": 9, "Escape": 27, "ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40}
        for kind in ("keyDown", "keyUp"):
            text = {"text": "\r"} if key == "Enter" and kind == "keyDown" else {}
            self.call("Input.dispatchKeyEvent", type=kind, key=key, windowsVirtualKeyCode=codes[key], **text)

    def size(self, width: int, height: int, scale: float = 1.0, mobile: bool = False) -> None:
        """Sets the size of the page in CSS pixels."""
        size = {"width": width, "height": height, "deviceScaleFactor": scale, "mobile": mobile}
        self.call("Emulation.setDeviceMetricsOverride", **size)

    def dark(self, dark: bool) -> None:
        """Asks for dark or light colors."""
        value = "dark" if dark else "light"
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": value}])

    def screenshot(self, path: pathlib.Path) -> None:
        """Saves what is seen as a PNG."""
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"]))


def _find(selector: str) -> str:
    return f"document.querySelector({json.dumps(selector)})"


@contextlib.contextmanager
def browser(webgl: bool = True) -> Iterator[Browser]:
    """A fresh headless Chromium with one empty page; software draws WebGL."""
    assert PROGRAM
    down_read, down_write = os.pipe()
    up_read, up_write = os.pipe()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        flags = [
            *_FLAGS,
            *(_SOFTWARE_WEBGL if webgl else ["--disable-gpu", "--disable-3d-apis"]),
            f"--user-data-dir={profile}",
        ]
        # Chromium reads commands from descriptor 3 and answers on 4.
        shell = ["bash", "-c", f'exec "$@" 3<&{down_read} 4>&{up_write}', "bash", PROGRAM, *flags]
        process = subprocess.Popen(
            shell, pass_fds=(down_read, up_write), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        os.close(down_read)
        os.close(up_write)
        try:
            yield Browser(down_write, up_read)
        finally:
            os.close(down_write)
            os.close(up_read)
            process.kill()
            process.wait()
