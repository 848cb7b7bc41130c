"""Many logins at once wait in line, and other requests are served meanwhile."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest
from anyio.lowlevel import checkpoint
from fastapi import FastAPI
from fastapi.testclient import TestClient

from app.api import deps
from app.api.deps import get_hashing_slot, hashing_slots
from app.api.routing import APIRouter
from app.core.config import settings
from app.core.security import get_password_hash
from app.db.session import THREADS, SessionLocal
from app.tests.api.test_request_path import ROUTES, dependencies
from app.tests.utils.user import auth_headers, create_random_user

API = settings.API_V1_STR
LOGIN = f"{API}/login/access-token"
FORM = {"username": settings.FIRST_SUPERUSER, "password": settings.FIRST_SUPERUSER_PASSWORD}


def in_event_loop(client: TestClient, function: Callable[[], Any]) -> None:
    assert client.portal is not None
    client.portal.call(function)


def take_slots() -> None:
    for number in range(int(hashing_slots.total_tokens)):
        hashing_slots.acquire_on_behalf_of_nowait(number)


def free_slots() -> None:
    for number in range(int(hashing_slots.total_tokens)):
        hashing_slots.release_on_behalf_of(number)


def wait_for_line(length: int) -> None:
    deadline = time.monotonic() + 10
    while hashing_slots.statistics().tasks_waiting < length:
        assert time.monotonic() < deadline
        time.sleep(0.001)


def test_waiting_logins_do_not_block_other_requests(committed_client: TestClient) -> None:
    with SessionLocal.begin() as db:
        headers = auth_headers(create_random_user(db))
    logins = 2 * THREADS
    in_event_loop(committed_client, take_slots)
    with ThreadPoolExecutor(logins) as pool:
        responses = [pool.submit(committed_client.post, LOGIN, data=FORM) for _ in range(logins)]
        try:
            wait_for_line(logins)
            # Both kinds of session get connections.
            assert committed_client.get(f"{API}/users/me", headers=headers).status_code == 200
            item = committed_client.post(
                f"{API}/sample-notes/", headers=headers, json={"title": "x"}
            )
            assert item.status_code == 201
        finally:
            in_event_loop(committed_client, free_slots)
        assert {each.result().status_code for each in responses} == {200}


def test_long_wait_is_503(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    in_event_loop(client, take_slots)
    with monkeypatch.context() as patch:
        patch.setattr(deps, "HASHING_WAIT_SECONDS", 0.01)
        response = client.post(LOGIN, data=FORM)
    in_event_loop(client, free_slots)
    assert response.status_code == 503
    assert response.json()["code"] == "server_busy"
    assert response.headers["Retry-After"]
    assert client.post(LOGIN, data=FORM).status_code == 200


def test_callers_without_token_do_not_wait(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deps, "HASHING_WAIT_SECONDS", 0.01)
    in_event_loop(client, take_slots)
    statuses = {
        route.name: client.request(method, API + route.path).status_code
        for route in ROUTES
        for method in route.methods or ()
        if get_hashing_slot in {each.call for each in dependencies(route.dependant)}
    }
    in_event_loop(client, free_slots)
    public = ("login_access_token", "reset_password", "create_user_open")
    assert statuses == {name: 503 if name in public else 401 for name in statuses}
    assert {*public, "create_user", "update_user_me", "delete_user_me"} <= set(statuses)


def test_slots_are_granted_in_order() -> None:
    """A request that is cancelled keeps no slot, whether it waits or owns a slot already."""
    slot = asynccontextmanager(get_hashing_slot)
    granted = []

    async def request(number: int, scope: anyio.CancelScope) -> None:
        with scope:
            async with slot():
                granted.append(number)
                await checkpoint()

    async def main() -> None:
        take_slots()
        scopes = [anyio.CancelScope() for _ in range(9)]
        async with anyio.create_task_group() as group:
            for number, scope in enumerate(scopes):
                group.start_soon(request, number, scope)
            await anyio.wait_all_tasks_blocked()
            scopes[3].cancel()
            free_slots()
            scopes[0].cancel()

    anyio.run(main)
    assert granted == [0, 1, 2, 4, 5, 6, 7, 8]
    assert hashing_slots.borrowed_tokens == 0


def test_hashing_without_slot_fails_a_test() -> None:
    """The fixtures check this in every test of an endpoint."""
    app, router = FastAPI(), APIRouter()

    @router.post("/")
    def sign_up() -> None:
        get_password_hash("a password")

    app.include_router(router)
    with TestClient(app) as client, pytest.raises(AssertionError, match="HashingSlot"):
        client.post("/")
