import gzip
import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Condition, Thread
from typing import Any


class FakeSentry:
    """A Sentry server that keeps the events that it receives."""

    def __init__(self) -> None:
        # Decompressed texts. Each one consists of a header and items.
        self.envelopes: list[str] = []
        self._arrived = Condition()

    @classmethod
    @contextmanager
    def listening(cls) -> Iterator[tuple["FakeSentry", str]]:
        """Start a server, and yield it and its DSN."""
        sentry = cls()

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers["Content-Encoding"] == "gzip":
                    body = gzip.decompress(body)
                sentry.receive(body.decode())
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Log nothing."""

        with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            Thread(target=server.serve_forever, daemon=True).start()
            try:
                yield sentry, f"http://key@127.0.0.1:{server.server_port}/1"
            finally:
                server.shutdown()

    def receive(self, envelope: str) -> None:
        with self._arrived:
            self.envelopes.append(envelope)
            self._arrived.notify_all()

    def wait_for(self, exception: str, seconds: float = 20) -> dict[str, Any]:
        """Wait for an event with an exception of this type, and return it."""
        with self._arrived:
            assert self._arrived.wait_for(lambda: self._events(exception), seconds), self.envelopes
            return self._events(exception)[0]

    def _events(self, exception: str) -> list[dict[str, Any]]:
        lines = [line for envelope in self.envelopes for line in envelope.splitlines()]
        parsed = [json.loads(line) for line in lines if line.startswith("{")]
        return [
            event
            for event in parsed
            for value in event.get("exception", {}).get("values", [])
            if value["type"] == exception
        ]
