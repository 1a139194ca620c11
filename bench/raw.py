"""The raw line beside the product's: a plain HTTP server that takes any body and gives any number of bytes, and its client."""

import http.client
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from bench.line import Line, Quality


class _Sink(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    give = b""

    def do_POST(self) -> None:
        left = int(self.headers["Content-Length"])
        while left:
            left -= len(self.rfile.read(min(left, 65536)))
        self._answer(b"")

    def do_GET(self) -> None:
        self._answer(type(self).give)

    def _answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


def raw_times(quality: Quality, up: bytes, down: bytes = b"") -> dict[str, float]:
    """Seconds of one POST of `up` and one GET that answers `down`, each on a connection that is already warm."""
    handler = type("Sink", (_Sink,), {"give": down})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    line = Line(server.server_port, quality)
    connection = http.client.HTTPConnection("127.0.0.1", line.port, timeout=600)
    try:
        _once(connection, "POST", b"")
        return {"post": _once(connection, "POST", up), "get": _once(connection, "GET") if down else 0.0}
    finally:
        connection.close()
        line.close()
        server.shutdown()


def _once(connection: http.client.HTTPConnection, method: str, body: bytes | None = None) -> float:
    began = time.monotonic()
    connection.request(method, "/", body)
    connection.getresponse().read()
    return time.monotonic() - began
