"""A line that breaks after a given number of bytes, upwards or downwards; then it is whole again."""

import contextlib
import socket
import threading


class Line:
    """Listens on a free port and passes on to `port`; `budget` is what may still pass in the direction that is cut."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._cut = ""
        self._budget = 0
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.passed = {"up": 0, "down": 0}
        threading.Thread(target=self._accept, daemon=True).start()

    def cut_after(self, budget: int, direction: str) -> None:
        """Once, after `budget` bytes upwards ("up", requests) or downwards ("down", answers)."""
        with self._lock:
            self._cut, self._budget = direction, budget

    @property
    def was_cut(self) -> bool:
        with self._lock:
            return self._cut == ""

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._to))
                for source, target, direction in ((client, server, "up"), (server, client, "down")):
                    threading.Thread(target=self._pump, args=(source, target, direction), daemon=True).start()

    def _pump(self, source: socket.socket, target: socket.socket, direction: str) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                allowed, broken = self._allow(len(data), direction)
                target.sendall(data[:allowed])
                if broken:
                    for end in (source, target):
                        end.shutdown(socket.SHUT_RDWR)  # wakes the other direction too, which a close would not
                    return
            target.shutdown(socket.SHUT_WR)

    def _allow(self, size: int, direction: str) -> tuple[int, bool]:
        with self._lock:
            self.passed[direction] += size
            if self._cut != direction:
                return size, False
            if size <= self._budget:
                self._budget -= size
                return size, False
            self._cut = ""
            return self._budget, True
