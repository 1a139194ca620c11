"""Serves the app with waitress, in one process or several, with the photo worker in one of its own beside them.

Several processes share one listening socket: whichever is free takes the next connection. The first process then
only watches: a server or worker that ends is started again.
"""

import ctypes
import errno
import multiprocessing
import os
import signal
import socket
import sys
import threading

import click
import waitress

from server.app import create_app
from server.backup import lock
from server.config import Config
from server.photo_worker import log_to_stderr, work
from server.watching import Watched

THREADS = 16
CONNECTIONS = 400
BACKLOG = 1024
BODY_BYTES = 256 * 1024 * 1024  # deposits; every other route has a smaller limit of its own
PR_SET_PDEATHSIG = 1


def serve_until_stopped(settings: Config, host: str, port: int, processes: int = 1) -> None:
    """Binds first, so that a port in use is one plain line and starts nothing; so is a restore under way."""
    with lock.in_use(settings.home):
        _watch(settings, _listen(host, port), processes)


def _watch(settings: Config, listener: socket.socket, processes: int) -> None:
    log_to_stderr()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    _forget_main()
    spawn = multiprocessing.get_context("spawn")
    watched = Watched(lambda target, *args: spawn.Process(target=target, args=args, daemon=True))
    watched.add("photo worker", work, settings, os.getpid())
    try:
        if processes == 1:
            threading.Thread(target=watched.run, daemon=True).start()
            _serve(settings, listener)
        else:
            for n in range(processes):
                watched.add(f"server {n + 1}", _serve_beside, settings, listener, os.getpid())
            watched.run()
    except KeyboardInterrupt:
        pass
    finally:
        watched.stop()


def _forget_main() -> None:
    """A spawned process imports its parent's main module too, here the whole command: 35 MB in each for nothing."""
    main = sys.modules["__main__"]
    main.__spec__ = None
    if hasattr(main, "__file__"):
        del main.__file__


def _listen(host: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise click.ClickException(f"port {port} is in use; set MINHCHUNG_PORT to another") from error
        raise click.ClickException(f"cannot bind {host}:{port}: {error.strerror}") from error
    return listener


def _serve(settings: Config, listener: socket.socket) -> None:
    waitress.serve(
        create_app(settings), sockets=[listener], threads=THREADS, connection_limit=CONNECTIONS, backlog=BACKLOG,
        channel_timeout=300, max_request_body_size=BODY_BYTES, ident=None, clear_untrusted_proxy_headers=True,
    )  # fmt: skip


def _serve_beside(settings: Config, listener: socket.socket, parent: int) -> None:
    _die_with(parent)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the first process hears it, and ends us in order
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    log_to_stderr()
    _serve(settings, listener)


def _die_with(parent: int) -> None:
    """A first process that was killed must not leave others on its port."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit(1)
