"""A reading list as a JSON API on PostgreSQL."""

import os

import psycopg
from flask import Flask, abort, request
from psycopg.rows import dict_row
from psycopg_pool import ConnectionPool
from werkzeug.exceptions import HTTPException

LONGEST_TITLE = 200
# Seconds that a request waits for a connection: longer than a database takes that is being exchanged.
PATIENCE = 10


def create_app() -> Flask:
    app = Flask(__name__)
    # Whoever asks under another name gets 400, the health check too: it is asked as a visitor asks.
    app.config["TRUSTED_HOSTS"] = os.environ["TRUSTED_HOSTS"].split()
    pool = ConnectionPool(
        os.environ["DATABASE_URL"],
        min_size=1,
        max_size=4,
        timeout=PATIENCE,
        # One that died with its database is not handed out.
        check=ConnectionPool.check_connection,
        kwargs={"row_factory": dict_row, "connect_timeout": 3},
    )

    def fetch(query: str, values: tuple = ()) -> list[dict]:
        """Runs one statement in a transaction of its own."""
        with pool.connection() as connection:
            return connection.execute(query, values).fetchall()

    @app.get("/health")
    def health():
        fetch("select 1")
        return {"status": "ok"}

    @app.get("/books")
    def books():
        return {"items": fetch("select id, title, finished from books order by id desc limit 200")}

    @app.post("/books")
    def add():
        [book] = fetch("insert into books (title) values (%s) returning id, title, finished", (title(),))
        return book, 201

    @app.post("/books/<int:book>/finished")
    def finish(book: int):
        found = fetch("update books set finished = true where id = %s returning id, title, finished", (book,))
        if not found:
            abort(404, "there is no such book")
        return found[0]

    @app.errorhandler(HTTPException)
    def refused(error: HTTPException):
        return {"error": error.description}, error.code

    @app.errorhandler(psycopg.DataError)
    def unfit(error: psycopg.DataError):
        return {"error": str(error)}, 400

    @app.errorhandler(psycopg.OperationalError)
    def away(error: psycopg.OperationalError):
        app.logger.error("%s", error)
        return {"error": "the database is away: try again in a moment"}, 503

    return app


def title() -> str:
    """The title in the request's body, or 400."""
    body = request.get_json()
    text = body.get("title") if isinstance(body, dict) else None
    if not isinstance(text, str) or not 1 <= len(text.strip()) <= LONGEST_TITLE:
        abort(400, f"title: must be a text of 1-{LONGEST_TITLE} characters")
    return text.strip()
