"""Wiring only: which parts make the server."""

from flask import Flask
from flask_compress import Compress

from server.api import deposit, files, health, pair, phone_app, photos, sync
from server.config import Config
from server.db.session import Database
from server.domain.tokens import Tokens
from server.http import access, problems
from server.storage import open_store
from server.web import site


def create_app(config: Config, db: Database | None = None) -> Flask:
    """The WSGI application over a migrated database."""
    app = Flask(__name__, static_folder="web/static", static_url_path="/static", template_folder="web/templates")
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    app.config["COMPRESS_ALGORITHM"] = ["br", "gzip"]
    app.config["COMPRESS_MIMETYPES"] = [
        "text/html", "text/css", "text/javascript", "application/javascript", "application/json",
        "application/manifest+json", "image/svg+xml",
    ]  # fmt: skip
    app.extensions["config"] = config
    app.extensions["db"] = db or Database.of_home(config.database_url, config.home)
    app.extensions["tokens"] = Tokens(config.secret)
    app.extensions["photos"] = open_store(config.photos_url)
    problems.install(app)
    access.install(app)
    for part in (pair, sync, files, photos, deposit, health, phone_app):
        app.register_blueprint(part.blueprint)
    site.install(app)
    Compress(app)
    return app
