"""A small HTTP server that answers range requests, as web servers do and Python's own does not, and counts."""

from __future__ import annotations

import contextlib
import http.server
import pathlib
import re
import threading
from collections.abc import Iterator


class _Handler(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path = pathlib.Path(self.translate_path(self.path))
        wanted = self.headers.get("Range")
        if not path.is_file():
            path /= "index.html"
        if not path.is_file():
            self.send_error(404)
            return
        content = path.read_bytes()
        begin, end = 0, len(content)
        if wanted and self.server.ranges:
            first, last = re.fullmatch(r"bytes=(\d*)-(\d*)", wanted).groups()
            begin = int(first) if first else max(len(content) - int(last), 0)
            end = min(int(last) + 1, len(content)) if first and last else len(content)
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {begin}-{end - 1}/{len(content)}")
        else:
            self.send_response(200)
        self.send_header("Content-Type", self.guess_type(str(path)))
        self.send_header("Content-Length", str(end - begin))
        self.end_headers()
        self.wfile.write(content[begin:end])
        self.server.served.append((path.name, end - begin))

    def log_message(self, *_) -> None:
        """Says nothing."""


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    ranges = True
    served: list[tuple[str, int]]


@contextlib.contextmanager
def serve(folder: pathlib.Path, ranges: bool = True) -> Iterator[tuple[str, list[tuple[str, int]]]]:
    """Serves a folder on loopback; its URL, and the names and sizes of what was served."""
    server = _Server(("127.0.0.1", 0), lambda *words: _Handler(*words, directory=str(folder)))
    server.ranges, server.served = ranges, []
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", server.served
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
