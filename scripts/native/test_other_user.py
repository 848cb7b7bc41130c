"""Attacks on the running stack by another user of the machine, and by a website in the developer's browser.

Start the stack first. Run these tests as root, which becomes OTHER_USER for each attempt.
"""

import os
import pwd
import re
import smtplib
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

import httpx2
import psutil
import psycopg2
import psycopg2.errors
import psycopg2.extensions
import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

import settings
from environment import environment
from logs_check import secret_values
from test_stack import eventually

OTHER = pwd.getpwnam(os.environ.get("OTHER_USER", "daemon"))
PORTS = settings.read_ports()
ENV = environment()
DATABASE = str(settings.DATA / "db")
PUBLISHED = "changethis"
EVIL = "https://evil.example"
# Random: another run may have left its own.
CANARY = f"canary {uuid4().hex}"
HTTP = ["backend", "flower", "frontend", "proxy", "dashboard", "mail", "pgadmin"]


def secrets() -> set[str]:
    values = secret_values(ENV)
    assert len(values) > 1
    # FIRST_SUPERUSER_PASSWORD keeps its published value.
    return values - {PUBLISHED}


@pytest.fixture(autouse=True, scope="module")
def loaded_modules() -> None:
    """Import the modules that clients import lazily, because the other user cannot read root's Python."""
    with redis.Redis.from_url(ENV["REDIS_URL"]) as client:
        client.ping()
    httpx2.get(url("flower"), auth=("admin", PUBLISHED))
    # pgAdmin may still be installing itself.
    eventually(lambda: httpx2.get(url("pgadmin", "/login")).is_success, 400)


def as_other_user(attempt: Callable[[], object]) -> str:
    """Run the attempt in a process of the other user. Return its result or error as text."""
    assert os.geteuid() == 0, "run these tests as root: only root can become another user"
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.setgroups([])
        os.setresgid(OTHER.pw_gid, OTHER.pw_gid, OTHER.pw_gid)
        os.setresuid(OTHER.pw_uid, OTHER.pw_uid, OTHER.pw_uid)
        try:
            result = f"got {attempt()!r}"
        except Exception as error:
            result = f"{type(error).__name__}: {error}"
        with os.fdopen(write, "w") as pipe:
            pipe.write(result)
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as pipe:
        result = pipe.read()
    assert os.waitpid(pid, 0)[1] == 0
    return result


def database(user: str, password: str, name: str) -> psycopg2.extensions.connection:
    return psycopg2.connect(host="127.0.0.1", port=PORTS["db"], user=user, password=password, dbname=name)


def read_all(connection: socket.socket) -> bytes:
    return b"".join(iter(lambda: connection.recv(65536), b""))


def url(service: str, path: str = "/") -> str:
    return f"http://127.0.0.1:{PORTS[service]}{path}"


@pytest.mark.parametrize("user", ["postgres", "app", ENV["POSTGRES_USER"]])
@pytest.mark.parametrize("password", [PUBLISHED, "", "postgres", "app"])
def test_database_rejects_published_passwords(user: str, password: str) -> None:
    def log_in() -> object:
        with database(user, password, "postgres") as connection:
            cursor = connection.cursor()
            cursor.execute("CREATE TEMPORARY TABLE t (line text)")
            cursor.execute("COPY t FROM PROGRAM 'id'")
            cursor.execute("SELECT * FROM t")
            return cursor.fetchone()

    assert re.match("OperationalError: .*(password authentication failed|no password supplied)", as_other_user(log_in))


def database_server() -> list[psutil.Process]:
    """Return the PostgreSQL processes that run until the server stops."""
    found = []
    for each in psutil.process_iter():
        with suppress(psutil.Error):
            if each.name() == "postgres" and each.cwd() == DATABASE:
                found.append(each)
    (postmaster,) = (each for each in found if each.parent() not in found)
    assert len(found) > 1
    return [postmaster, *(each for each in found if "checkpointer" in str(each.cmdline()))]


@pytest.mark.parametrize("name", ["Inh", "Prm", "Eff", "Bnd", "Amb"])
def test_database_server_has_no_capabilities(name: str) -> None:
    for server in database_server():
        status = Path(f"/proc/{server.pid}/status").read_text()
        assert re.search(rf"^Cap{name}:\t0+$", status, re.MULTILINE), status
        assert "\nNoNewPrivs:\t1\n" in status
        assert server.uids().real != 0


def test_environment_of_the_database_contains_no_secret() -> None:
    """The server runs as nobody. Other programs of nobody can read its environment."""
    for server in database_server():
        text = Path(f"/proc/{server.pid}/environ").read_text(errors="replace")
        assert not [secret for secret in {*secrets(), PUBLISHED} if secret in text]


def test_application_role_is_not_a_superuser() -> None:
    with database(ENV["POSTGRES_USER"], ENV["POSTGRES_PASSWORD"], ENV["POSTGRES_DB"]) as connection:
        cursor = connection.cursor()
        cursor.execute(
            "SELECT rolsuper, rolcreaterole, rolreplication, rolbypassrls, rolcreatedb"
            " FROM pg_roles WHERE rolname = current_user"
        )
        assert cursor.fetchone() == (False, False, False, False, True)
        cursor.execute("CREATE TEMPORARY TABLE t (line text)")
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            cursor.execute("COPY t FROM PROGRAM 'id'")


@pytest.mark.parametrize("password", [None, PUBLISHED, "", "redis"])
@pytest.mark.parametrize("command", ["INFO", "CONFIG GET dir", "KEYS *"])
def test_redis_requires_its_password(password: str | None, command: str) -> None:
    def ask() -> object:
        once = Retry(NoBackoff(), 0)
        with redis.Redis(port=PORTS["redis"], password=password, socket_timeout=5, retry=once) as client:
            return client.execute_command(*command.split())

    assert re.match("AuthenticationError: ", as_other_user(ask))


@pytest.mark.parametrize("login", [None, ("admin", PUBLISHED), ("admin", "admin"), ("admin", "")])
@pytest.mark.parametrize("path", ["/", "/workers", "/api/tasks"])
def test_flower_rejects_published_logins(login: tuple[str, str] | None, path: str) -> None:
    assert as_other_user(lambda: httpx2.get(url("flower", path), auth=login).status_code) == "got 401"


@pytest.mark.parametrize("password", [PUBLISHED, "admin", "postgres"])
def test_pgadmin_rejects_published_passwords(password: str) -> None:
    def log_in() -> object:
        with httpx2.Client(base_url=url("pgadmin", "")) as client:
            token = re.search(r'csrfToken[^:]*: *"?\\?"?([\w.-]{20,})', client.get("/login").text)
            assert token
            form = {"email": ENV["PGADMIN_DEFAULT_EMAIL"], "password": password, "csrf_token": token[1]}
            client.post("/authenticate/login", data={**form, "internal_button": "Login"})
            return client.get("/browser/", follow_redirects=False).status_code

    assert as_other_user(log_in) == "got 302"


@pytest.mark.parametrize(
    "request_line",
    [
        "GET /api/email HTTP/1.1",
        "GET / HTTP/1.1",
        "DELETE /api/email/all HTTP/1.1",
        "GET /socket.io/?EIO=4&transport=polling HTTP/1.1",
    ],
)
def test_only_the_owner_can_read_mail(request_line: str) -> None:
    def ask() -> object:
        with socket.create_connection(("127.0.0.1", PORTS["mail"]), timeout=5) as connection:
            head = f"Host: localhost:{PORTS['mail']}\r\nConnection: close"
            connection.sendall(f"{request_line}\r\n{head}\r\n\r\n".encode())
            return read_all(connection)

    assert as_other_user(ask) in ("got b''", "ConnectionResetError: [Errno 104] Connection reset by peer")
    assert httpx2.get(url("mail", "/api/email")).status_code == 200


def test_only_the_owner_can_send_mail() -> None:
    def greet() -> object:
        with smtplib.SMTP("127.0.0.1", PORTS["smtp"], timeout=5) as client:
            return client.noop()

    assert re.match("SMTPServerDisconnected|ConnectionResetError", as_other_user(greet))
    assert greet() == (250, b"OK")


@pytest.mark.parametrize("name", ["", "secrets.env", "data", "data/pgadmin/pgadmin4.db", "log/backend.log", "test"])
def test_other_users_cannot_read_the_state(name: str) -> None:
    def look() -> object:
        path = settings.STATE / name
        return sorted(path.iterdir()) if path.is_dir() else path.open("rb").read(20)

    assert as_other_user(look).startswith("PermissionError: ")


def test_secrets_file_is_private() -> None:
    assert (settings.RUN / "secrets.env").stat().st_mode & 0o777 == 0o600
    assert settings.STATE.stat().st_mode & 0o777 == 0o700


def test_other_users_cannot_control_the_supervisor() -> None:
    def connect() -> object:
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(os.path.relpath(settings.RUN / "supervisor.sock"))
        return "connected"

    assert as_other_user(connect).startswith("PermissionError: ")


def test_process_list_contains_no_secret() -> None:
    def look() -> object:
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            for name in ("cmdline", "environ"):
                try:
                    text = (process / name).read_bytes().decode(errors="replace")
                except OSError:
                    continue
                found += [f"{name}: {text[:80]}" for secret in hidden if secret in text]
        return found

    hidden = secrets()
    canary = subprocess.Popen([sys.executable, "-c", "input()", min(hidden)], stdin=subprocess.PIPE)
    try:
        shown = as_other_user(look)
    finally:
        canary.communicate()
    assert shown.count("cmdline: ") == 1, shown
    assert "environ: " not in shown


def test_temporary_files_contain_no_secret() -> None:
    def look() -> object:
        found = []
        for folder in (tempfile.gettempdir(), "/dev/shm", "/var/tmp", "/var/cache"):
            for path in list(Path(folder).glob("*")) + list(Path(folder).glob("*/*")):
                try:
                    text = path.read_bytes()[:1_000_000] if path.is_file() else b""
                except OSError:
                    continue
                found += [str(path) for secret in hidden if secret.encode() in text]
        return found

    hidden = [*secrets(), CANARY]
    with tempfile.NamedTemporaryFile("w", prefix="canary.") as file:
        os.fchmod(file.fileno(), 0o644)
        file.write(CANARY)
        file.flush()
        # Prove that the search finds a secret.
        assert as_other_user(look) == f"got {[file.name]}"
    assert as_other_user(look) == "got []"


@pytest.mark.parametrize("path", ["/api/rawdata", "/api/overview", "/api/entrypoints", "/debug/vars"])
def test_dashboard_contains_no_secret(path: str) -> None:
    shown = as_other_user(lambda: httpx2.get(url("dashboard", path)).text)
    assert not [secret for secret in secrets() if secret in shown]


@pytest.mark.parametrize(
    "path",
    [
        f"/@fs{settings.STATE}/secrets.env",
        f"/@fs{settings.ROOT}/.env",
        f"/@fs{settings.ROOT}/.env?raw",
        f"/@fs{settings.STATE}/secrets.env?import&raw??",
        f"/@fs{settings.STATE}/secrets.env?.svg?.wasm?init",
        "/../.native/secrets.env",
        "/@fs/etc/passwd?raw",
        "/.env?raw",
        "/.git/config",
    ],
)
@pytest.mark.parametrize("service", ["frontend", "proxy"])
def test_vite_serves_only_the_web_app(service: str, path: str) -> None:
    def ask() -> object:
        with socket.create_connection(("127.0.0.1", PORTS[service]), timeout=5) as connection:
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
            return read_all(connection)

    shown = as_other_user(ask)
    assert re.match(r"got b['\"]HTTP/1\.1 ", shown)
    assert not re.search("PASSWORD|VUE_APP_NAME=|root:x:|\\[core\\]", shown)


@pytest.mark.parametrize("path", ["/__open-in-editor", "/__OPEN-in-editor/", "/__open-in-editor/x"])
@pytest.mark.parametrize("service", ["frontend", "proxy"])
def test_vite_opens_no_editor(service: str, path: str) -> None:
    """An editor would run as the developer, and could open any file."""
    file = {"file": str(settings.ROOT / "README.md")}
    assert as_other_user(lambda: httpx2.get(url(service, path), params=file).status_code) == "got 403"


@pytest.mark.parametrize("service", HTTP)
@pytest.mark.parametrize("origin", [EVIL, "null", "http://localhost.evil.example"])
def test_no_service_allows_other_origins(service: str, origin: str) -> None:
    for path in ("/", "/api/email", "/api/v1/users/me", "/api/rawdata", "/socket.io/?EIO=4&transport=polling"):
        for method in ("GET", "OPTIONS"):
            headers = {"Origin": origin, "Access-Control-Request-Method": "GET"}
            response = httpx2.request(method, url(service, path), headers=headers)
            assert response.headers.get("Access-Control-Allow-Origin") is None, (method, path)


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:80"])
@pytest.mark.parametrize(
    ("service", "path"),
    [
        ("mail", "/api/email"),
        ("frontend", "/src/main.ts"),
        ("proxy", "/"),
        ("backend", "/api/v1/utils/health/live"),
        ("backend", "/api/v1/openapi.json"),
        ("proxy", "/api/v1/utils/health/live"),
        ("proxy", "/docs"),
        ("dashboard", "/api/rawdata"),
        ("dashboard", "/dashboard/"),
        ("pgadmin", "/login"),
    ],
)
def test_foreign_host_names_are_rejected(service: str, path: str, host: str) -> None:
    """DNS rebinding: a website can point its host name to 127.0.0.1. It then has the same origin as the service."""
    response = httpx2.get(url(service, path), headers={"Host": host, "Accept": "text/html"})
    assert response.status_code >= 400, response.text[:200]
    assert httpx2.get(url(service, path), headers={"Accept": "text/html"}).status_code == 200


def handshake(**headers: str) -> bytes:
    """Request a WebSocket from the mail catcher. Return the first line of the response."""
    lines = {
        "Host": f"localhost:{PORTS['mail']}",
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        **headers,
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    with socket.create_connection(("127.0.0.1", PORTS["mail"]), timeout=5) as connection:
        connection.sendall(f"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\n{head}\r\n".encode())
        return connection.recv(65536).split(b"\r\n")[0]


@pytest.mark.parametrize("origin", [EVIL, "null", "http://localhost:1", "http://127.0.0.1"])
def test_mail_catcher_rejects_websockets_of_other_origins(origin: str) -> None:
    assert handshake(Origin=origin) == b"HTTP/1.1 403 Forbidden"


def test_mail_catcher_accepts_its_own_websocket() -> None:
    assert handshake(Origin=f"http://localhost:{PORTS['mail']}") == b"HTTP/1.1 101 Switching Protocols"


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        (200, {}),
        (200, {"Sec-Fetch-Site": "same-origin", "Origin": f"http://127.0.0.1:{PORTS.get('mail')}"}),
        (200, {"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}),
        (403, {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "script"}),
        (403, {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"}),
        (403, {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"}),
        (403, {"Origin": EVIL}),
        (403, {"Host": "evil.example"}),
    ],
)
def test_mail_catcher_rejects_requests_of_other_websites(status: int, headers: dict[str, str]) -> None:
    for method, path in (("GET", "/api/email"), ("POST", "/mcp"), ("GET", "/"), ("DELETE", "/api/email/none")):
        response = httpx2.request(method, url("mail", path), headers=headers)
        assert (response.status_code == 403) is (status == 403), (method, path, response.text)
        assert not [name for name in response.headers if name.lower().startswith("access-control-")]


def test_links_of_other_websites_to_the_mail_catcher_work() -> None:
    headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    page = httpx2.get(url("mail"), headers={**headers, "Accept": "text/html"})
    assert page.status_code == 200
    assert page.headers["X-Frame-Options"] == "SAMEORIGIN"
    assert httpx2.post(url("mail"), headers=headers).status_code == 403


def test_secrets_file_contains_the_logins() -> None:
    lines = (settings.RUN / "secrets.env").read_text().splitlines()
    values = dict(line.split("=", 1) for line in lines if not line.startswith("#"))
    assert values["PGADMIN_DEFAULT_PASSWORD"] == ENV["PGADMIN_DEFAULT_PASSWORD"]
    assert ENV["FLOWER_BASIC_AUTH"] == f"admin:{values['FLOWER_PASSWORD']}"
    assert httpx2.get(url("flower", "/workers"), auth=("admin", values["FLOWER_PASSWORD"])).status_code == 200
