"""The lower bound: a server for the same requests without FastAPI, ORM, validation and tokens.

Starlette runs hand-written SQL and JSON in one thread hop. A header contains the user's id.
"""

import json
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs

from anyio import to_thread
from passlib.context import CryptContext
from psycopg2.pool import ThreadedConnectionPool
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

# The same number as in app/db/session.py.
THREADS = 10
USER = "id, email, full_name, is_active, is_superuser"
ITEM = "id, title, description, owner_id"

pool = ThreadedConnectionPool(THREADS, THREADS, os.environ["BENCH_DATABASE"])
passwords = CryptContext(["argon2"])

Work = Callable[[int, Request, bytes], Any]


def rows(sql: str, *parameters: Any) -> list[dict[str, Any]]:
    connection = pool.getconn()
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            cursor.execute(sql, parameters)
            names = [column.name for column in cursor.description or ()]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    finally:
        pool.putconn(connection)


def read_me(user: int, _: Request, __: bytes) -> Any:
    return rows(f'SELECT {USER} FROM "user" WHERE id = %s', user)[0]


def read_item(user: int, request: Request, _: bytes) -> Any:
    item = request.path_params["id"]
    return rows(f"SELECT {ITEM} FROM item WHERE id = %s AND owner_id = %s", item, user)[0]


def read_items(user: int, request: Request, _: bytes) -> Any:
    condition = "owner_id = %s"
    parameters: list[int | str] = [user]
    if q := request.query_params.get("q"):
        condition += " AND (title ILIKE %s OR description ILIKE %s)"
        parameters += [f"%{q}%", f"%{q}%"]
    return rows(
        f"SELECT {ITEM}, (SELECT count(*) FROM item WHERE {condition}) AS total FROM item"
        f" WHERE {condition} ORDER BY id LIMIT %s",
        *parameters,
        *parameters,
        int(request.query_params["limit"]),
    )


def create_item(user: int, _: Request, body: bytes) -> Any:
    item = json.loads(body)
    return rows(
        f"INSERT INTO item (title, description, owner_id) VALUES (%s, %s, %s) RETURNING {ITEM}",
        item["title"],
        item["description"],
        user,
    )[0]


def update_item(user: int, request: Request, body: bytes) -> Any:
    return rows(
        f"UPDATE item SET title = %s WHERE id = %s AND owner_id = %s RETURNING {ITEM}",
        json.loads(body)["title"],
        request.path_params["id"],
        user,
    )[0]


def login(_: int, __: Request, body: bytes) -> Any:
    form = parse_qs(body.decode())
    found = rows('SELECT hashed_password FROM "user" WHERE email = %s', form["username"][0])
    return {"access": passwords.verify(form["password"][0], found[0]["hashed_password"])}


def endpoint(work: Work) -> Callable[[Request], Any]:
    async def handle(request: Request) -> Response:
        user = int(request.headers.get("x-user-id", 0))
        body = await request.body()
        result = await run_in_threadpool(work, user, request, body)
        return Response(json.dumps(result), media_type="application/json")

    return handle


@asynccontextmanager
async def lifespan(_: Starlette) -> AsyncIterator[None]:
    to_thread.current_default_thread_limiter().total_tokens = THREADS
    yield


app = Starlette(
    lifespan=lifespan,
    routes=[
        Route("/api/v1/users/me", endpoint(read_me)),
        Route("/api/v1/items/", endpoint(read_items)),
        Route("/api/v1/items/", endpoint(create_item), methods=["POST"]),
        Route("/api/v1/items/{id:int}", endpoint(read_item)),
        Route("/api/v1/items/{id:int}", endpoint(update_item), methods=["PUT"]),
        Route("/api/v1/login/access-token", endpoint(login), methods=["POST"]),
    ],
)
