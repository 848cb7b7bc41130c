"""Sends requests continuously, without retries, and records the changes that the API acknowledged."""

import contextlib
import ssl
import threading
from collections import Counter
from types import TracebackType
from typing import Self
from uuid import uuid4

import httpx2

CLIENTS = 4
API = "/api/v1"
USERS = f"{API}/users/"
PASSWORD = "a password for tests"


def any_certificate() -> ssl.SSLContext:
    """Return a context that accepts any certificate: in these tests, Traefik's is self-signed."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


class Load:
    """A context manager. Until it exits, clients create, read, update and delete users, and open the web app."""

    def __init__(self, origin: str, email: str, password: str, client_origin: str) -> None:
        self.origin = origin
        self.client_origin = client_origin
        self.login = {"username": email, "password": password}
        self.sent: Counter[str] = Counter()
        self.failures: list[str] = []
        # Each full name contains this mark, so that a search finds the users of this load.
        self.mark = uuid4().hex
        # The last full name that the API acknowledged, by the user's id.
        self.kept: dict[int, str] = {}
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._run, args=(number,)) for number in range(CLIENTS)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def client(self) -> httpx2.Client:
        client = httpx2.Client(base_url=self.origin, verify=any_certificate(), timeout=30)
        response = client.post(f"{API}/login/access-token", data=self.login)
        response.raise_for_status()
        client.headers["Authorization"] = f"Bearer {response.json()['access_token']}"
        return client

    def stored(self) -> dict[int, str]:
        """Return the full names that the API returns now, by the user's id."""
        names: dict[int, str] = {}
        with contextlib.closing(self.client()) as client:
            while True:
                query: dict[str, str | int] = {"q": self.mark, "skip": len(names), "limit": 100}
                page = client.get(USERS, params=query).raise_for_status().json()
                if not page:
                    return names
                names |= {user["id"]: user["full_name"] for user in page}

    def _run(self, number: int) -> None:
        try:
            with contextlib.closing(self.client()) as client:
                rounds = 0
                while not self._stop.is_set():
                    self._round(client, f"{self.mark} {number} {rounds}", keep=rounds % 10 == 0)
                    rounds += 1
        except Exception as error:
            self.failures.append(f"client {number} ended: {error!r}")

    def _round(self, client: httpx2.Client, name: str, *, keep: bool) -> None:
        self._request(client, "GET", "/", 200)
        user = {"email": f"{uuid4().hex}@example.com", "password": PASSWORD, "full_name": name}
        created = self._request(client, "POST", USERS, 201, user)
        if created is None:
            return
        user_id = int(created.json()["id"])
        self._keep(user_id, name)
        path = f"{USERS}{user_id}"
        self._request(client, "GET", path, 200)
        changed = f"{name} changed"
        if self._request(client, "PUT", path, 200, {"full_name": changed}) is not None:
            self._keep(user_id, changed)
        self._request(client, "GET", f"{USERS}?limit=10", 200)
        self._request(client, "OPTIONS", path, 200)
        if not keep and self._request(client, "DELETE", path, 200) is not None:
            with self._lock:
                del self.kept[user_id]

    def _keep(self, user_id: int, name: str) -> None:
        with self._lock:
            self.kept[user_id] = name

    def _request(
        self, client: httpx2.Client, method: str, path: str, expected: int, body: dict[str, str] | None = None
    ) -> httpx2.Response | None:
        preflight = {"Origin": self.client_origin, "Access-Control-Request-Method": "PUT"}
        headers = preflight if method == "OPTIONS" else {}
        try:
            response = client.request(method, path, json=body, headers=headers)
            failure = "" if response.status_code == expected else f"{response.status_code} {response.text[:100]}"
        except httpx2.HTTPError as error:
            response, failure = None, repr(error)
        with self._lock:
            self.sent[method] += 1
            if failure:
                self.failures.append(f"{method} {path}: {failure}")
        return None if failure else response
