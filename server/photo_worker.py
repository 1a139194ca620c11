"""The photo worker's process: it needs pictures, the database and the photo store, and none of the rest."""

import logging
import os
import signal

from server.config import Config
from server.db.session import Database
from server.domain import clean
from server.storage import open_store


def work(settings: Config, parent: int) -> None:
    """Makes clean copies until its parent is gone, also where that was killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    log_to_stderr()
    clean.run_worker(
        Database(settings.database_url), open_store(settings.photos_url), lambda: os.getppid() != parent
    )


def log_to_stderr() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
