"""What can be told without starting anything: python -m pytest scripts/native, in .native/venv."""

import json
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

import install
import ports
import settings


@pytest.fixture(autouse=True)
def no_ports_yet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "ports.json"
    for module in (ports, settings):
        monkeypatch.setattr(module, "PORTS", file)
    return file


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    free = next(port for port in range(20000, 32000) if ports.is_free(port))
    with socket.create_server(("127.0.0.1", free)) as listening:
        yield listening


def test_taken_port_gives_another_and_stays(no_ports_yet: Path, listener: socket.socket) -> None:
    taken = listener.getsockname()[1]
    ports.choose({"backend": taken})
    first = json.loads(no_ports_yet.read_text())
    listener.close()
    ports.choose({"backend": taken})

    assert first["backend"] != taken
    assert json.loads(no_ports_yet.read_text()) == first


def test_services_get_the_files_secrets_and_local_addresses(no_ports_yet: Path) -> None:
    no_ports_yet.write_text(json.dumps({"db": 5433, "redis": 6380, "proxy": 8000}))
    odd = '50% off; "quoted" $HOME'

    env = settings.environment({"PROJECT_NAME": odd, "POSTGRES_SERVER": "db.example.com"})

    assert env["PROJECT_NAME"] == odd
    assert (env["POSTGRES_SERVER"], env["POSTGRES_PORT"]) == ("127.0.0.1", "5433")
    assert env["SERVER_HOST"] == "http://localhost:8000"
    assert env["POSTGRES_PASSWORD"]


def test_installation_that_was_cut_short_has_no_mark(tmp_path: Path) -> None:
    (tmp_path / "installed.part").write_text("3.11 folder\nlock\nmain\n")
    assert install._read(tmp_path) is None


@pytest.mark.parametrize("word", ["faults", "load", "app/tests/missing.py", "app/tests/missing.py::test_name"])
def test_unknown_tests_are_named(word: str) -> None:
    command = ["sh", str(settings.SCRIPTS.with_name("native.sh")), "test", word]
    result = subprocess.run(command, check=False, capture_output=True, text=True)
    assert result.returncode == 1
    assert f"no such tests: {word}" in result.stderr
    assert "backend, unit, e2e" in result.stderr
