"""The file store: the same behaviour in a folder and in a bucket of a real S3 server."""

import os
import socket
import time
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from urllib.request import Request, urlopen

import anyio
import pytest
from moto.server import ThreadedMotoServer

from app.core import files
from app.core.config import load_settings, settings
from app.core.files import FileStoreUnavailable

# More than two parts of an upload to S3.
CONTENT = os.urandom(1000) * 12_000


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    _, port = server.get_host_and_port()
    url = f"http://127.0.0.1:{port}"
    with urlopen(Request(f"{url}/bucket", method="PUT")):
        pass
    yield url
    server.stop()


@pytest.fixture(params=["folder", "bucket"])
def store(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    if request.param == "folder":
        use(monkeypatch, FILE_STORE=str(tmp_path / "new folder"))
    else:
        url = request.getfixturevalue("s3")
        use(monkeypatch, FILE_STORE=f"s3://bucket/{tmp_path.name}", S3_ENDPOINT=url)
    yield request.param
    monkeypatch.undo()
    files.store.cache_clear()


def use(monkeypatch: pytest.MonkeyPatch, **values: str) -> None:
    defaults = {"S3_ACCESS_KEY_ID": "key", "S3_SECRET_ACCESS_KEY": "secret"}
    for name, value in {**defaults, **values}.items():
        monkeypatch.setattr(settings, name, value)
    files.store.cache_clear()


async def chunks(error: Exception | None = None) -> AsyncIterator[bytes]:
    for start in range(0, len(CONTENT), 100_000):
        yield CONTENT[start : start + 100_000]
    if error:
        raise error


async def collect(stream: AsyncIterator[bytes]) -> bytes:
    return b"".join([bytes(chunk) async for chunk in stream])


def write(key: str) -> None:
    with files.writer(key) as file:
        for start in range(0, len(CONTENT), 100_000):
            file.write(CONTENT[start : start + 100_000])


def write_and_fail(key: str) -> None:
    with files.writer(key) as file:
        file.write(CONTENT)
        raise ZeroDivisionError


@pytest.mark.usefixtures("store")
def test_saved_file_can_be_read() -> None:
    anyio.run(files.save, "uploads/a", chunks())
    with files.read("uploads/a") as file:
        assert file.readline(10) + file.read() == CONTENT


@pytest.mark.usefixtures("store")
def test_written_file_can_be_streamed() -> None:
    write("jobs/1/1")
    size, stream = files.stream("jobs/1/1")
    assert size == len(CONTENT)
    assert anyio.run(collect, stream) == CONTENT


@pytest.mark.usefixtures("store")
def test_interrupted_file_does_not_exist() -> None:
    with pytest.raises(ZeroDivisionError):
        anyio.run(files.save, "uploads/a", chunks(ZeroDivisionError()))
    with pytest.raises(ZeroDivisionError):
        write_and_fail("jobs/1/1")
    for key in ("uploads/a", "jobs/1/1"):
        with pytest.raises(FileNotFoundError):
            files.read(key)
        with pytest.raises(FileNotFoundError):
            files.stream(key)


@pytest.mark.usefixtures("store")
def test_only_old_files_without_a_key_are_deleted() -> None:
    for key in ("jobs/1/1", "jobs/2/1"):
        write(key)
    assert files.delete_old({"jobs/1/1"}, timedelta(hours=1)) == 0
    time.sleep(1)  # Times in S3 are in seconds.
    assert files.delete_old({"jobs/1/1"}, timedelta()) == 1
    files.read("jobs/1/1").close()
    with pytest.raises(FileNotFoundError):
        files.read("jobs/2/1")


def test_rest_of_a_killed_process_is_deleted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, FILE_STORE=str(tmp_path))
    rest = tmp_path / "uploads" / "a#1"
    rest.parent.mkdir()
    rest.touch()
    files.delete_old(set(), timedelta(hours=1))
    assert rest.exists()
    files.delete_old(set(), timedelta(seconds=-1))
    assert not rest.exists()


def test_errors_have_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The store is a file, and then a server that does not exist, within the time of a request."""
    (tmp_path / "file").touch()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    for values in (
        {"FILE_STORE": str(tmp_path / "file" / "store")},
        {"FILE_STORE": "s3://bucket", "S3_ENDPOINT": f"http://127.0.0.1:{port}"},
    ):
        use(monkeypatch, **values)
        start = time.monotonic()
        with pytest.raises(FileStoreUnavailable) as saved:
            anyio.run(files.save, "uploads/a", chunks())
        with pytest.raises(FileStoreUnavailable) as read:
            files.read("uploads/a")
        assert time.monotonic() - start < 10
        assert "\n" not in f"{saved.value}{read.value}"
    files.store.cache_clear()


@pytest.mark.parametrize("value", ["s3://", "s3://Bucket", "file:///files", "https://example.com"])
def test_invalid_settings_are_rejected(environment: pytest.MonkeyPatch, value: str) -> None:
    environment.setenv("FILE_STORE", value)
    with pytest.raises(SystemExit, match="FILE_STORE: must be the path of a folder"):
        load_settings()
