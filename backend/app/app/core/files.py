"""The file store: a folder, or a bucket of an S3-compatible store. Keys are like uploads/1a2b."""

import io
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import BinaryIO, Protocol

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, S3Store

from app.core.config import settings

logger = logging.getLogger(__name__)

# S3 accepts no smaller parts of a file, except the last one.
PART_BYTES = 5 * 1024 * 1024
READ_BYTES = 1024 * 1024
# An interrupted write leaves a file with such a name in a folder. It is no key.
UNFINISHED = "*#*"


class Writable(Protocol):
    def write(self, data: bytes, /) -> object: ...


class FileStoreUnavailable(Exception):
    """The file store is unreachable, full or not writable."""


@cache
def store() -> LocalStore | S3Store:
    bucket, _, prefix = settings.FILE_STORE.removeprefix("s3://").partition("/")
    if not settings.FILE_STORE.startswith("s3://"):
        return LocalStore(settings.FILE_STORE, mkdir=True)
    return S3Store(
        bucket,
        prefix=prefix or None,
        endpoint=settings.S3_ENDPOINT,
        region=settings.S3_REGION,
        access_key_id=settings.S3_ACCESS_KEY_ID,
        secret_access_key=settings.S3_SECRET_ACCESS_KEY,
        virtual_hosted_style_request=False,
        client_options={"allow_http": True, "connect_timeout": "2s", "timeout": "30s"},
        retry_config={"max_retries": 1, "retry_timeout": timedelta(seconds=5)},
    )


@contextmanager
def errors() -> Iterator[None]:
    """Raise FileNotFoundError, or FileStoreUnavailable for any other error of the store."""
    try:
        yield
    except (BaseError, OSError) as error:
        kind = FileNotFoundError if isinstance(error, FileNotFoundError) else FileStoreUnavailable
        # The further lines are a dump of the error in Rust.
        raise kind(str(error).partition("\n")[0]) from None


async def save(key: str, chunks: AsyncIterator[bytes]) -> None:
    """Write a file. If an error occurs meanwhile, there is no file afterwards.

    Raises FileStoreUnavailable, and the errors of `chunks`.
    """
    with errors():
        await obstore.put_async(store(), key, chunks, chunk_size=PART_BYTES, max_concurrency=2)


@contextmanager
def writer(key: str) -> Iterator[Writable]:
    """Open a file to write. After an exception in the block, there is no file.

    Raises FileStoreUnavailable.
    """
    with errors(), obstore.open_writer(store(), key, buffer_size=PART_BYTES) as file:
        yield file


def read(key: str) -> BinaryIO:
    """Open a file to read. Raises FileStoreUnavailable and FileNotFoundError."""
    with errors():
        chunks = obstore.get(store(), key).stream(min_chunk_size=READ_BYTES)
    return io.BufferedReader(_Chunks(bytes(chunk) for chunk in chunks), READ_BYTES)


class _Chunks(io.RawIOBase):
    """A file that consists of chunks."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks, self._rest = chunks, b""

    def readable(self) -> bool:
        return True

    def readinto(self, target: memoryview) -> int:  # type: ignore[override]
        with errors():
            self._rest = self._rest or next(self._chunks, b"")
        size = min(len(target), len(self._rest))
        target[:size], self._rest = self._rest[:size], self._rest[size:]
        return size


def stream(key: str) -> tuple[int, AsyncIterator[bytes]]:
    """Return the size and the content of a file.

    Raises FileStoreUnavailable and FileNotFoundError.
    """
    with errors():
        file = obstore.get(store(), key)
    return file.meta["size"], file.stream(min_chunk_size=READ_BYTES)


def delete_old(keep: set[str], age: timedelta) -> int:
    """Delete the files of this age that have none of the keys. Return their number.

    Raises FileStoreUnavailable.
    """
    limit = datetime.now(UTC) - age
    with errors():
        found = [file for files in obstore.list(store()) for file in files]
        old = [file["path"] for file in found if file["last_modified"] < limit]
        unused = [key for key in old if key not in keep]
        obstore.delete(store(), unused)
    if isinstance(store(), LocalStore):
        for path in Path(settings.FILE_STORE).rglob(UNFINISHED):
            if path.stat().st_mtime < limit.timestamp():
                path.unlink(missing_ok=True)
    return len(unused)
