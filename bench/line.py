"""A line with round trip, rate, loss and a window, in front of a server; it counts what passes.

A simple model of one TCP connection in each direction: a segment is put on the line at the line's rate, arrives half a
round trip later and in order; a lost one arrives a round trip later (fast retransmit) after it was sent again, and all
behind it waits. Unacknowledged bytes are bounded by the window. A new connection costs one round trip. Slow start is
left out, for the product and for the raw request that it is compared with alike.
"""

import contextlib
import queue
import random
import re
import socket
import threading
import time
from collections import deque
from dataclasses import dataclass, field

SEGMENT = 1448
HEAD = re.compile(rb"(?:GET|HEAD|POST|PATCH|PUT|DELETE|OPTIONS) [^ \r\n]+ HTTP/1\.1\r\n")


@dataclass
class Quality:
    """Change the fields at any time; a rate of None is unlimited. Rates are bytes a second, times seconds."""

    round_trip: float = 0.0
    rate_up: float | None = None
    rate_down: float | None = None
    loss: float = 0.0
    window: int = 65536


@dataclass
class Count:
    """Bytes are counted as they leave the line at the other end, and `moves` are (time, "up" or "down", bytes) of them.

    `heads` are (time, request head as text), as they came from the client; `turns` counts how often bytes went up after
    bytes had come down, that is, round trips.
    """

    up: int = 0
    down: int = 0
    connections: int = 0
    turns: int = 0
    heads: list[tuple[float, str]] = field(default_factory=list)
    moves: list[tuple[float, str, int]] = field(default_factory=list)

    def requests(self) -> list[str]:
        """`METHOD /path` of each request, in order."""
        return [" ".join(head.split(" ", 2)[:2]) for _, head in self.heads]

    def first(self, request: str) -> float:
        """When the first request that begins so left the client. Raises ValueError where there was none."""
        return min(at for at, head in self.heads if head.startswith(request))

    def last_down(self) -> float:
        return max(at for at, way, _ in self.moves if way == "down")


class Line:
    """Listens on a free port of 127.0.0.1 and passes all on to `port`."""

    def __init__(self, port: int, quality: Quality | None = None) -> None:
        self.quality = quality or Quality()
        self.count = Count()
        self.up = True
        self._to = port
        self._chance = random.Random(1)
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._last = "down"
        self._free = {"up": 0.0, "down": 0.0}  # when the line is free again: shared by all connections
        self._listener = socket.socket()
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)  # or the kernel would swallow whole photos
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen(128)
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def fresh_count(self) -> Count:
        with self._lock:
            self.count, self._last = Count(), "down"
        return self.count

    def cut(self) -> None:
        """No signal: what is open ends at once, new connections are closed unanswered."""
        self.up = False
        with self._lock:
            ends = list(self._open)
        for end in ends:
            _close(end)

    def mend(self) -> None:
        self.up = True

    def close(self) -> None:
        _close(self._listener)
        self.cut()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if not self.up:
                _close(client)
                continue
            try:
                server = socket.create_connection(("127.0.0.1", self._to), 5)
            except OSError:
                _close(client)
                continue
            server.settimeout(None)
            for end in (client, server):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self._open |= {client, server}
                self.count.connections += 1
            born = time.monotonic()
            self._direct(client, server, "up", born)
            self._direct(server, client, "down", born)

    def _direct(self, source: socket.socket, sink: socket.socket, way: str, born: float) -> None:
        pipe: queue.Queue[tuple[float, bytes] | None] = queue.Queue()
        threading.Thread(target=self._read, args=(source, pipe, way, born), daemon=True).start()
        threading.Thread(target=self._write, args=(sink, source, pipe, way), daemon=True).start()

    def _read(self, source: socket.socket, pipe: "queue.Queue[tuple[float, bytes] | None]", way: str, born: float) -> None:
        arrives = 0.0
        flying: deque[float] = deque()  # when each unacknowledged segment will be acknowledged
        with contextlib.suppress(OSError):
            while True:
                if len(flying) >= max(2, self.quality.window // SEGMENT):
                    _until(flying.popleft())
                piece = source.recv(SEGMENT)
                if not piece:
                    break
                if way == "up" and HEAD.match(piece):
                    self.count.heads.append((time.monotonic(), piece.partition(b"\r\n\r\n")[0].decode("latin1")))
                arrives = max(arrives, self._arrival(len(piece), way, born))
                flying.append(arrives + self.quality.round_trip / 2)
                pipe.put((arrives, piece))
        pipe.put(None)

    def _arrival(self, size: int, way: str, born: float) -> float:
        """When this segment is at the other end; it takes its turn on the line."""
        line = self.quality
        rate = line.rate_up if way == "up" else line.rate_down
        with self._lock:
            start = max(time.monotonic(), self._free[way], born + line.round_trip if way == "up" else 0.0)
            lost = 0
            while line.loss and self._chance.random() < line.loss:
                lost += 1
            end = start + (size * (1 + lost) / rate if rate else 0.0)
            self._free[way] = end
        return end + line.round_trip / 2 + lost * line.round_trip

    def _write(self, sink: socket.socket, source: socket.socket, pipe: "queue.Queue[tuple[float, bytes] | None]", way: str) -> None:
        with contextlib.suppress(OSError):
            while (item := pipe.get()) is not None:
                due, piece = item
                _until(due)
                sink.sendall(piece)
                self._passed(piece, way)
        _close(source)
        _close(sink)
        with self._lock:
            self._open -= {source, sink}

    def _passed(self, piece: bytes, way: str) -> None:
        now = time.monotonic()
        with self._lock:
            count = self.count
            if way == "up":
                count.up += len(piece)
                count.turns += self._last == "down"
            else:
                count.down += len(piece)
            self._last = way
            count.moves.append((now, way, len(piece)))


def _until(moment: float) -> None:
    pause = moment - time.monotonic()
    if pause > 0:
        time.sleep(pause)


def _close(end: socket.socket) -> None:
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()
