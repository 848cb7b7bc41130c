import base64
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from app.tests.utils.utils import random_lower_string

START = Path(__file__).parents[2] / "flower-start.sh"
# Settings that are valid outside development.
STRONG = {
    "SECRET_KEY": "x" * 32,
    "FIRST_SUPERUSER": "admin@example.com",
    "FIRST_SUPERUSER_PASSWORD": "a good password",
    "SQLALCHEMY_DATABASE_URI": "postgresql://app:secret@127.0.0.1:1/app",
    "POSTGRES_PASSWORD": "secret",
    "REDIS_PASSWORD": "secret",
    "CELERY_BROKER_URL": "redis://:secret@127.0.0.1:1/0",
    "CELERY_RESULT_BACKEND": "",
}
LOGIN = "admin:s$cret: {}'\"\\ #1"


def flower_env(login: str) -> dict[str, str]:
    env = {name: value for name, value in os.environ.items() if not name.startswith("FLOWER_")}
    return {**env, "FLOWER_BASIC_AUTH": login}


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("flower") / "log"


@pytest.fixture(scope="module")
def flower(log: Path) -> Iterator[httpx2.Client]:
    """A client of a running Flower that requires LOGIN. The client is not logged in."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = ["sh", str(START), "--address=127.0.0.1", f"--port={port}"]
    with (
        log.open("w") as output,
        subprocess.Popen(
            command, cwd=START.parent, env=flower_env(LOGIN), stdout=output, stderr=output
        ) as process,
    ):
        try:
            for _ in range(300):
                assert process.poll() is None, "Flower exited"
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.1)
            with httpx2.Client(base_url=f"http://127.0.0.1:{port}") as client:
                yield client
        finally:
            process.kill()


def basic_auth(credentials: bytes) -> bytes:
    return b"Basic " + base64.b64encode(credentials)


def test_correct_login_is_accepted(flower: httpx2.Client) -> None:
    headers = {b"Authorization": basic_auth(LOGIN.encode())}
    assert flower.get("/workers", headers=headers).status_code == 200
    metrics = flower.get("/metrics", headers=headers)
    assert metrics.status_code == 200
    assert "python_info" in metrics.text


PATHS = [
    "/",
    "/workers",
    "/worker/x",
    "/task/x",
    "/tasks",
    "/tasks/datatable",
    "/broker",
    "/api/workers",
    "/api/tasks",
    "/api/task/types",
    "/api/queues/length",
    "/api/task/info/x",
    "/api/task/result/x",
    "/metrics",
    "/metrics?x=1",
    "/nothing",
    "/login",
    "/logout",
]


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE"])
@pytest.mark.parametrize("path", PATHS)
def test_login_is_required(flower: httpx2.Client, method: str, path: str) -> None:
    response = flower.request(method, path)
    assert response.status_code in (401, 405)
    assert "python_info" not in response.text
    assert "celery" not in response.text.lower()


@pytest.mark.parametrize("control", ["%1B", "%E2%80%A8", "%C2%9B", "%E2%80%AE"])
@pytest.mark.parametrize("path", ["/worker/", "/task/", "/api/task/info/"])
def test_control_characters_in_paths_are_escaped(
    flower: httpx2.Client, log: Path, path: str, control: str
) -> None:
    name = random_lower_string()
    headers = {b"Authorization": basic_auth(LOGIN.encode())}
    assert flower.get(f"{path}{name}{control}x", headers=headers).status_code == 404
    lines = [line for line in log.read_text().split("\n") if name in line]
    assert lines
    assert all(line.isprintable() for line in lines), lines


def test_health_check_needs_no_login(flower: httpx2.Client) -> None:
    response = flower.get("/healthcheck")
    assert (response.status_code, response.text) == (200, "OK")


@pytest.mark.parametrize("path", ["/workers", "/tasks", "/api/workers", "/metrics"])
@pytest.mark.parametrize(
    "header",
    [
        pytest.param(None, id="none"),
        pytest.param(b"", id="empty"),
        pytest.param(b"Basic", id="no credentials"),
        pytest.param(b"Basic a b", id="three words"),
        pytest.param(b"Basic !!!", id="bad base64"),
        pytest.param(b"Basic YWRtaW4", id="no padding"),
        pytest.param("Basic ä".encode(), id="UTF-8 header"),
        pytest.param("Basic ä".encode("latin-1"), id="Latin-1 header"),
        pytest.param(b"Bearer YWRtaW46YQ==", id="other scheme"),
        pytest.param(b"Bearer " + base64.b64encode("admin:ä".encode()), id="other scheme, UTF-8"),
        pytest.param(basic_auth(b"admin"), id="no colon"),
        pytest.param(basic_auth(b":"), id="colon alone"),
        pytest.param(basic_auth(b"admin:wrong"), id="wrong password"),
        pytest.param(basic_auth(LOGIN.encode() + b"\0"), id="NUL"),
        pytest.param(basic_auth("admin:ä".encode()), id="UTF-8"),
        pytest.param(basic_auth("ädmin:".encode()), id="UTF-8 user"),
        pytest.param(basic_auth("admin:😀".encode()), id="emoji"),
        pytest.param(basic_auth("admin:ä".encode("latin-1")), id="Latin-1"),
        pytest.param(basic_auth(b"\xff\xfe\x00"), id="not text"),
    ],
)
def test_invalid_login_is_401(flower: httpx2.Client, path: str, header: bytes | None) -> None:
    headers = {} if header is None else {b"Authorization": header}
    response = flower.get(path, headers=headers)
    assert response.status_code == 401
    assert "Traceback" not in response.text


def start_error(env: dict[str, str]) -> str:
    """Start Flower, which must exit with an error. Return the error message."""
    command = ["timeout", "10", "sh", str(START), "--address=127.0.0.1", "--port=0"]
    result = subprocess.run(
        command, cwd=START.parent, env=env, check=False, capture_output=True, text=True
    )
    assert result.returncode == 1
    return result.stderr


@pytest.mark.parametrize(
    ("login", "reason"),
    [
        pytest.param("admin:pa,ss", "comma", id="comma"),
        pytest.param("admin:a,other:b", "comma", id="two logins"),
        pytest.param("admin:pass,", "comma", id="comma at the end"),
        pytest.param("admin", "user:password", id="no colon"),
        pytest.param(":password", "user:password", id="no user"),
        pytest.param("admin:", "user:password", id="no password"),
        pytest.param(":", "user:password", id="colon alone"),
        pytest.param("", "user:password", id="empty"),
        pytest.param(" ", "user:password", id="blank"),
        pytest.param("admin:pässword", "ASCII", id="not ASCII"),
        pytest.param("admin:two\nlines", "ASCII", id="line break"),
    ],
)
def test_malformed_login_prevents_start(login: str, reason: str) -> None:
    error = start_error(flower_env(login))
    assert "FLOWER_BASIC_AUTH" in error
    assert reason in error
    assert "Traceback" not in error
    assert ":pa" not in error.replace("user:password", "")


@pytest.mark.parametrize(
    ("login", "environment"),
    [("admin:changethis", "production"), ("other:changethis!", "staging"), ("changethis:x", None)],
)
def test_default_login_is_rejected_outside_development(login: str, environment: str | None) -> None:
    env = flower_env(login) | STRONG
    env.pop("ENVIRONMENT")
    if environment is not None:
        env["ENVIRONMENT"] = environment
    error = start_error(env)
    assert "FLOWER_BASIC_AUTH" in error
    assert "changethis" in error
    assert "Traceback" not in error


def test_login_from_file_is_validated(tmp_path: Path) -> None:
    file = tmp_path / "login"
    file.write_text("admin:pa,ss\n")
    assert "FLOWER_BASIC_AUTH" in start_error(
        {**flower_env(""), "FLOWER_BASIC_AUTH_FILE": str(file)}
    )
