"""Constant requests of all methods, without a retry, and an account of what was answered."""

import contextlib
import ssl
import threading
from collections import Counter
from types import TracebackType
from typing import Self

import httpx2

CLIENTS = 4
API = "/api/v1"


def any_certificate() -> ssl.SSLContext:
    """No authority knows this machine: Traefik shows a certificate of its own making."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


class Load:
    """Clients that each create, read, change and delete items, and open the page, until the block ends."""

    def __init__(self, origin: str, email: str, password: str, client_origin: str) -> None:
        self.origin = origin
        self.client_origin = client_origin
        self.login = {"username": email, "password": password}
        self.answers: Counter[str] = Counter()
        self.failures: list[str] = []
        # What the API said it keeps.
        self.kept: set[int] = set()
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
        answer = client.post(f"{API}/login/access-token", data=self.login)
        answer.raise_for_status()
        client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        return client

    def stored(self) -> set[int]:
        """The ids of the items that the API has now."""
        ids: set[int] = set()
        with contextlib.closing(self.client()) as client:
            while True:
                page = client.get(f"{API}/items/", params={"skip": len(ids), "limit": 100}).json()
                if not page:
                    return ids
                ids |= {item["id"] for item in page}

    def _run(self, number: int) -> None:
        try:
            with contextlib.closing(self.client()) as client:
                rounds = 0
                while not self._stop.is_set():
                    self._round(client, f"client {number}, round {rounds}", keep=rounds % 10 == 0)
                    rounds += 1
        except Exception as error:
            self.failures.append(f"client {number} ended: {error!r}")

    def _round(self, client: httpx2.Client, title: str, *, keep: bool) -> None:
        self._request(client, "GET", "/", 200)
        created = self._request(client, "POST", f"{API}/items/", 201, {"title": title})
        if created is None:
            return
        item = int(created.json()["id"])
        with self._lock:
            self.kept.add(item)
        path = f"{API}/items/{item}"
        self._request(client, "GET", path, 200)
        self._request(client, "PUT", path, 200, {"title": f"{title}, changed"})
        self._request(client, "GET", f"{API}/items/?limit=10", 200)
        self._request(client, "OPTIONS", path, 200)
        if not keep and self._request(client, "DELETE", path, 200) is not None:
            with self._lock:
                self.kept.discard(item)

    def _request(
        self, client: httpx2.Client, method: str, path: str, expected: int, body: dict[str, str] | None = None
    ) -> httpx2.Response | None:
        preflight = {"Origin": self.client_origin, "Access-Control-Request-Method": "PUT"}
        headers = preflight if method == "OPTIONS" else {}
        try:
            answer = client.request(method, path, json=body, headers=headers)
            failure = "" if answer.status_code == expected else f"{answer.status_code} {answer.text[:100]}"
        except httpx2.HTTPError as error:
            answer, failure = None, repr(error)
        with self._lock:
            self.answers[method] += 1
            if failure:
                self.failures.append(f"{method} {path}: {failure}")
        return None if failure else answer
