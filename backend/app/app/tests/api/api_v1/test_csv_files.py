"""The requests of imports and exports. test_csv_files.py of the jobs tests what the jobs do."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.types import Message

from app import crud
from app.api.api_v1.api import api_routers
from app.api.routing import Route
from app.api.uploads import MAX_IMPORT_BYTES
from app.core import files
from app.core.config import settings
from app.main import app
from app.models import Job, User
from app.tests.utils.jobs import create_job_with_file
from app.tests.utils.sample_note import SAMPLE_NOTES
from app.tests.utils.user import create_random_user

API = settings.API_V1_STR
IMPORT, EXPORT = f"{SAMPLE_NOTES}import", f"{SAMPLE_NOTES}export"
CSV = {"Content-Type": "text/csv; charset=utf-8"}


def stored_files() -> set[Path]:
    return {path for path in Path(settings.FILE_STORE).rglob("*") if path.is_file()}


def test_import_stores_the_body_and_responds_with_the_job(
    user_client: TestClient, db: Session, user: User
) -> None:
    content = b"title\n" + b"x" * 200_000
    response = user_client.post(IMPORT, params={"name": "my.csv"}, content=content, headers=CSV)
    assert response.status_code == 202
    body = response.json()
    assert response.headers["Location"] == f"{API}/jobs/{body['id']}"
    assert (body["kind"], body["state"], body["source"]) == ("import_notes", "queued", "my.csv")
    job = db.get_one(Job, body["id"])
    assert job.arguments is not None
    assert job.arguments["user_id"] == user.id
    with files.read(job.arguments["file"]) as file:
        assert file.read() == content


@pytest.mark.parametrize("content_type", ["application/json", "application/zip", "text/html", ""])
def test_other_content_types_are_415(user_client: TestClient, content_type: str) -> None:
    headers = {"Content-Type": content_type} if content_type else {}
    response = user_client.post(IMPORT, content=b"title\n", headers=headers)
    assert (response.status_code, response.json()["code"]) == (415, "unsupported_media_type")


def test_gigabyte_is_rejected_before_it_is_read(user_client: TestClient) -> None:
    def body() -> Iterator[bytes]:
        pytest.fail("the body was read")
        yield b""

    headers = CSV | {"Content-Length": str(2**30)}
    response = user_client.post(IMPORT, content=body(), headers=headers)
    assert (response.status_code, response.json()["code"]) == (413, "content_too_large")


def test_body_that_exceeds_the_limit_is_not_stored(user_client: TestClient) -> None:
    """The client does not declare the length, so the limit applies while the body is stored."""
    chunk = b"x" * (1024 * 1024)
    body = (chunk for _ in range(MAX_IMPORT_BYTES // len(chunk) + 1))
    before = stored_files()
    response = user_client.post(IMPORT, content=body, headers=CSV)
    assert (response.status_code, response.json()["code"]) == (413, "content_too_large")
    assert stored_files() == before


def test_every_import_has_the_limit() -> None:
    limits = {
        route.body_limit
        for router in api_routers
        for route in router.routes
        if isinstance(route, Route) and route.path.endswith("/import")
    }
    # A project may have no imports.
    assert limits <= {MAX_IMPORT_BYTES}


def test_interrupted_upload_is_not_stored(user_client: TestClient, db: Session, user: User) -> None:
    """The client disconnects after the first part."""
    messages: list[Message] = [
        {"type": "http.request", "body": b"title\none\n", "more_body": True},
        {"type": "http.disconnect"},
    ]
    received = iter(messages)

    async def receive() -> Message:
        return next(received)

    async def send(_: Message) -> None: ...

    token = user_client.headers["Authorization"].encode()
    headers = [(b"authorization", token), (b"host", b"testserver"), (b"content-type", b"text/csv")]
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": IMPORT,
        "raw_path": IMPORT.encode(),
        "query_string": b"",
        "headers": headers,
    }
    before = stored_files()
    asyncio.run(app(scope, receive, send))
    assert stored_files() == before
    assert db.scalar(select(Job).where(Job.owner_id == user.id)) is None


@pytest.mark.parametrize("name", ["x" * 256, "nul\0"])
def test_invalid_name_is_422(user_client: TestClient, name: str) -> None:
    response = user_client.post(IMPORT, params={"name": name}, content=b"", headers=CSV)
    assert response.status_code == 422


def test_nothing_is_stored_for_strangers(client: TestClient) -> None:
    before = stored_files()
    assert client.post(IMPORT, content=b"title\n", headers=CSV).status_code == 401
    assert stored_files() == before


def test_export_enqueues_the_query(user_client: TestClient, db: Session, user: User) -> None:
    response = user_client.post(EXPORT, params={"q": "a", "sort": "-title", "owner_id": user.id})
    assert response.status_code == 202
    job = db.get_one(Job, response.json()["id"])
    assert job.arguments == {
        "query": {"q": "a", "sort": "-title", "owner_id": user.id},
        "user_id": user.id,
    }
    assert user_client.post(EXPORT, params={"sort": "unknown"}).status_code == 422


@pytest.fixture
def exported(db: Session, user: User) -> Job:
    return create_job_with_file(db, user, b"title\n" * 500_000)


def test_file_of_a_job_is_downloaded(user_client: TestClient, exported: Job) -> None:
    response = user_client.get(f"{API}/jobs/{exported.id}/file")
    assert (response.status_code, response.content) == (200, b"title\n" * 500_000)
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert response.headers["Content-Disposition"] == 'attachment; filename="item.csv"'
    assert response.headers["Content-Length"] == "3000000"


def test_file_that_was_deleted_is_404(user_client: TestClient, exported: Job) -> None:
    (Path(settings.FILE_STORE) / exported.file_key).unlink()
    response = user_client.get(f"{API}/jobs/{exported.id}/file")
    assert (response.status_code, response.json()["code"]) == (404, "not_found")


def test_job_without_a_file_is_404(user_client: TestClient, db: Session, user: User) -> None:
    job = crud.job.add(db, kind="test", owner_id=user.id, arguments={})
    assert user_client.get(f"{API}/jobs/{job.id}/file").status_code == 404
    assert user_client.get(f"{API}/jobs/{job.id}/report").json() == []


@pytest.mark.parametrize("path", ["file", "report"])
def test_others_get_neither_file_nor_report(
    user_client: TestClient, superuser_client: TestClient, db: Session, path: str
) -> None:
    url = f"{API}/jobs/{create_job_with_file(db, create_random_user(db)).id}/{path}"
    assert user_client.get(url).status_code == 403
    assert superuser_client.get(url).status_code == 200


def test_unavailable_file_store_is_503(
    user_client: TestClient, exported: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "FILE_STORE", f"{__file__}/files")
    files.store.cache_clear()
    try:
        responses = [
            user_client.post(IMPORT, content=b"title\n", headers=CSV),
            user_client.get(f"{API}/jobs/{exported.id}/file"),
        ]
    finally:
        files.store.cache_clear()
    for response in responses:
        assert (response.status_code, response.json()["code"]) == (503, "file_store_unavailable")
        assert response.headers["Retry-After"]
