"""What can be told without starting anything: python -m pytest scripts/native, in .native/venv."""

import json
import re
import socket
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

import install
import ports
import settings
import testing


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


def native(*words: str) -> str:
    command = ["sh", str(settings.ROOT / "scripts" / "native.sh"), *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def listed_files(output: str) -> set[str]:
    """Return the files of the tests that Playwright lists."""
    return set(re.findall(r"^ +\[\w+\] \S ([\w.-]+):", output, re.MULTILINE))


@pytest.mark.parametrize(
    ("words", "files"),
    [
        (["faults.spec.ts"], {"faults.spec.ts"}),
        (["items.spec.ts"], {"items.spec.ts"}),
        (["-g", "without a backend shows itself"], {"faults.spec.ts"}),
        (["-g", "keyboard alone|goes away under a form"], {"appearance.spec.ts", "faults.spec.ts"}),
    ],
)
def test_browser_tests_run_only_what_is_named(words: list[str], files: set[str]) -> None:
    assert listed_files(native("test", "e2e", *words, "--list")) == files


def test_faults_run_last_and_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    runs: list[set[str]] = []

    def listed(_script: str, words: list[str], _env: Mapping[str, str]) -> int:
        runs.append(listed_files(native("test", "e2e", *words, "--list")))
        return 0

    monkeypatch.setattr(testing, "_npm", listed)
    testing._run_projects(testing._named_projects([]), [], {})

    every = {file.name for file in (settings.ROOT / "frontend" / "tests" / "e2e").glob("*.spec.ts")}
    assert runs == [every - {"faults.spec.ts"}, {"faults.spec.ts"}]
