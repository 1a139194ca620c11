"""Serves the app with waitress, and runs the photo worker in a process of its own beside it."""

import errno
import logging
import multiprocessing
import os
import signal
import socket
import sys

import click
import waitress

from server.app import create_app
from server.config import Config
from server.db.session import Database
from server.domain import clean
from server.storage import open_store

THREADS = 16
CONNECTIONS = 400
BODY_BYTES = 256 * 1024 * 1024  # deposits; every other route has a smaller limit of its own


def serve_until_stopped(settings: Config, host: str, port: int) -> None:
    """Binds first, so that a port in use is one plain line and starts nothing."""
    _check_port(host, port)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    worker = multiprocessing.get_context("spawn").Process(target=_work, args=(settings, os.getpid()), daemon=True)
    worker.start()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        waitress.serve(
            create_app(settings), host=host, port=port, threads=THREADS, connection_limit=CONNECTIONS,
            channel_timeout=300, max_request_body_size=BODY_BYTES, ident=None, clear_untrusted_proxy_headers=True,
        )  # fmt: skip
    except KeyboardInterrupt:
        pass
    finally:
        worker.terminate()
        worker.join(5)


def _check_port(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise click.ClickException(f"port {port} is in use; set MINHCHUNG_PORT to another") from error
            raise click.ClickException(f"cannot bind {host}:{port}: {error.strerror}") from error


def _work(settings: Config, parent: int) -> None:
    """Ends with its parent, also when that was killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    clean.run_worker(
        Database(settings.database_url), open_store(settings.photos_url), lambda: os.getppid() != parent
    )
