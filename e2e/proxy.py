"""A TCP proxy between browser and server that makes the line bad; it knows nothing of HTTP.

Throttling in the browser's tools does not reach workers, so the line itself is slowed, cut or made to lose.
"""

import contextlib
import random
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

CHUNK_BYTES = 4096
RESEND_S = 0.3  # what a lost segment costs: TCP's least retransmission time-out, about


@dataclass
class Line:
    """How the line is now; change the fields at any time."""

    up: bool = True  # False: no signal, open connections end
    delay_s: float = 0.0  # one way
    rate_bytes_s: float | None = None  # each way, each connection
    loss: float = 0.0  # share of segments that come late by RESEND_S
    drop_answers: int = 0  # that many connections pass their bytes up, but lose the answer
    half_close: bool = False  # answers stop in the middle while the connection stays open
    dropped: int = 0  # answers lost so far
    chance: random.Random = field(default_factory=lambda: random.Random(1))


class Proxy:
    """Listens on a free port of 127.0.0.1 and passes all on to `port`."""

    def __init__(self, port: int) -> None:
        self.line = Line()
        # Told of every piece before it goes on: which connection, the bytes, whether it is an answer.
        self.watch: Callable[[int, bytes, bool], None] | None = None
        self._to = port
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """No signal: what is open ends at once, new connections are closed unanswered."""
        self.line.up = False
        with self._lock:
            for end in self._open:
                _close(end)

    def mend(self) -> None:
        self.line.up = True

    def close(self) -> None:
        _close(self._listener)
        self.cut()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if not self.line.up:
                _close(client)
                continue
            try:
                server = socket.create_connection(("127.0.0.1", self._to), 5)
            except OSError:
                _close(client)
                continue
            server.settimeout(None)
            with self._lock:
                self._open |= {client, server}
            threading.Thread(target=self._pump, args=(client, server, False), daemon=True).start()
            threading.Thread(target=self._pump, args=(server, client, True), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket, answers: bool) -> None:
        try:
            while piece := source.recv(CHUNK_BYTES):
                if self.watch is not None:
                    self.watch(id(sink if answers else source), piece, answers)
                if answers and self.line.drop_answers > 0:
                    self.line.drop_answers -= 1
                    self.line.dropped += 1
                    break
                self._wait(len(piece))
                if answers and self.line.half_close:
                    sink.sendall(piece[: len(piece) // 2])
                    return
                sink.sendall(piece)
        except OSError:
            pass
        _close(source)
        _close(sink)
        with self._lock:
            self._open -= {source, sink}

    def _wait(self, size: int) -> None:
        line = self.line
        pause = line.delay_s + (size / line.rate_bytes_s if line.rate_bytes_s else 0)
        if line.loss and line.chance.random() < line.loss:
            pause += RESEND_S
        if pause:
            time.sleep(pause)


def _close(end: socket.socket) -> None:
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()
