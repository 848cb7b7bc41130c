import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from urllib.parse import urlsplit

from app.core.config import settings


class Forwarder:
    """Forwards TCP connections to a server. It can hold back responses, or be down."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._responses = threading.Event()
        self._sockets: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._listen()

    def _listen(self) -> None:
        self._responses.set()
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                client = listener.accept()[0]
                server = socket.create_connection(self._target)
                self._sockets += [client, server]
                for pair in ((client, server, False), (server, client, True)):
                    threading.Thread(target=self._copy, args=pair, daemon=True).start()

    def _copy(self, source: socket.socket, target: socket.socket, responses: bool) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                if responses:
                    self._responses.wait()
                target.sendall(data)
        with suppress(OSError):
            target.shutdown(socket.SHUT_RDWR)

    @contextmanager
    def holding_responses(self) -> Iterator[None]:
        self._responses.clear()
        try:
            yield
        finally:
            self._responses.set()

    @contextmanager
    def down(self) -> Iterator[None]:
        """Drop all connections, and accept no new ones."""
        self.close()
        try:
            yield
        finally:
            self._listener = socket.create_server(("127.0.0.1", self.port))
            self._listen()

    def close(self) -> None:
        self._responses.set()
        for each in (self._listener, *self._sockets):
            with closing(each), suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        self._sockets.clear()


def forwarded_redis(forwarder: Forwarder, database: str | None = None) -> dict[str, str]:
    parts = urlsplit(settings.CELERY_BROKER_URL)
    login, at, _ = parts.netloc.rpartition("@")
    netloc = f"{login}{at}127.0.0.1:{forwarder.port}"
    url = parts._replace(netloc=netloc, path=database or parts.path).geturl()
    return {"CELERY_BROKER_URL": url, "CELERY_RESULT_BACKEND": url}
