"""The development stack in containers. Needs Docker, and the ports that the stack publishes."""

import json
import re
import socket
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import httpx2
import pytest
from clone import NAME, SETUP

from docs import Block, blocks, typed
from logs_check import find_secrets
from stack import DEFAULTS, IMAGES, OPEN_CONNECTIONS, OWNER, ROOT, TITLE, Stack, eventually, proxy_closes_first

WEB = "http://localhost"
PAGES = {
    "/": TITLE,
    "/login": TITLE,
    "/index.html": TITLE,
    "/api/": '"docs":"/docs"',
    "/docs": "swagger-ui",
    "/redoc": "redoc",
    ":5050/misc/ping": "PING",
    ":5555/healthcheck": "OK",
    ":8080/dashboard/": "Traefik",
    ":1080/api/healthz": "true",
}
# The tests of the native stack use the same table.
PATHS = json.loads((ROOT / "scripts" / "paths.json").read_text())
ADMIN = {"username": DEFAULTS["FIRST_SUPERUSER"], "password": "changethis"}
ENVIRONMENT = "{{range .Config.Env}}{{println .}}{{end}}"
first_responses: dict[str, httpx2.Response] = {}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    stack = Stack(tmp_path_factory.mktemp("containers") / "a stack")
    try:
        stack.compose("up", "--detach", "--build", "--wait")
        # Send these requests before any test does: the stack must be ready immediately after `up`.
        first_responses.update({page: httpx2.get(WEB + page) for page in PAGES})
        yield stack
    finally:
        stack.compose("down", "--volumes")


@pytest.fixture
def api(stack: Stack) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=f"{WEB}/api/v1", timeout=20) as client:
        login = eventually(lambda: client.post("/login/access-token", data=ADMIN).raise_for_status())
        client.headers["Authorization"] = f"Bearer {login.json()['access_token']}"
        yield client


def up(stack: Stack) -> None:
    """Start all services again. Retry, because --wait fails while the proxy is unhealthy after a backend outage."""
    eventually(lambda: stack.outcome("docker", "compose", "up", "--detach", "--wait")[0] == 0, 120)


def container(stack: Stack, service: str, field: str) -> str:
    ids = stack.compose("ps", "--all", "--quiet", service).split()
    return stack.run("docker", "inspect", "--format", field, *ids).strip()


@pytest.mark.parametrize("page", PAGES)
def test_new_stack_is_ready_after_up(stack: Stack, page: str) -> None:
    response = first_responses[page]
    assert response.status_code == 200
    assert PAGES[page] in response.text
    # The other ports belong to tools, which have their own headers.
    if page.startswith("/"):
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert "frame-ancestors 'none'" in response.headers["Content-Security-Policy"]
        assert response.headers["Content-Type"] in ("text/html; charset=utf-8", "application/json")
        assert "Strict-Transport-Security" not in response.headers


def test_every_service_is_healthy_and_restarts(stack: Stack) -> None:
    lines = stack.compose("ps", "--format", "{{.Service}} {{.Health}}").split("\n")
    healthy = {line.split()[0] for line in lines if line.endswith(" healthy")}
    assert healthy == set(stack.compose("config", "--services").split())
    for service in healthy:
        assert container(stack, service, "{{.HostConfig.RestartPolicy.Name}}") == "unless-stopped"


def test_flower_requires_login(stack: Stack) -> None:
    assert httpx2.get(f"{WEB}:5555/api/workers").status_code == 401
    assert httpx2.get(f"{WEB}:5555/api/workers", auth=("admin", "changethis")).status_code == 200


def test_database_is_registered_in_pgadmin(stack: Stack) -> None:
    state = "sqlite3.connect('/var/lib/pgadmin/pgadmin4.db')"
    query = f"import sqlite3; print({state}.execute('SELECT name, host FROM server').fetchall())"
    assert "('db', 'db')" in stack.execute("/venv/bin/python3", "-c", query, service="pgadmin")


def test_worker_sends_mail(api: httpx2.Client) -> None:
    assert api.post("/utils/test-email/", params={"email_to": "reader@example.com"}).status_code == 201

    def arrived() -> bool:
        mails = httpx2.get(f"{WEB}:1080/api/email").json()
        return any(mail["to"][0]["address"] == "reader@example.com" for mail in mails)

    assert eventually(arrived)


def test_backend_and_worker_share_the_file_store(stack: Stack) -> None:
    write = "from app.core import files\nwith files.writer('test/1') as file: file.write(b'shared')"
    stack.execute("python", "-c", write)
    read = "from app.core import files; print(files.read('test/1').read())"
    assert stack.execute("python", "-c", read, service="celeryworker") == "b'shared'\n"


def test_backend_logs_the_real_client_address(stack: Stack) -> None:
    httpx2.get(f"{WEB}/api/?forged", headers={"X-Forwarded-For": "6.6.6.6"}).raise_for_status()
    line = eventually(lambda: re.search(r".*GET /api/\?forged.*", stack.compose("logs", "backend")))
    assert "6.6.6.6" not in line[0]
    gateway = container(stack, "proxy", "{{range .NetworkSettings.Networks}}{{.Gateway}} {{end}}").split()
    assert any(f" {address}:" in line[0] for address in gateway)


def test_forged_address_does_not_raise_the_limit_of_attempts(stack: Stack) -> None:
    form = {"username": "forger@example.com", "password": "a wrong one"}
    url = f"{WEB}/api/v1/login/access-token"
    forged = [{"X-Forwarded-For": f"192.0.2.{number}"} for number in range(11)]
    statuses = [httpx2.post(url, data=form, headers=each).status_code for each in forged]
    assert statuses == [400] * 10 + [429]


def in_terminal(stack: Stack, commands: str, keys: str = "") -> str:
    """Run shell commands in a terminal, type these keys, and return the output. Fail if a command fails."""
    # Some systems have only `docker compose`.
    commands = commands.replace("docker-compose", "docker compose")
    command = ["script", "--quiet", "--return", "--command", f"set -eu\n{commands}", "/dev/null"]
    done = subprocess.run(
        command, cwd=stack.folder, env={**stack.env, "SHELL": "/bin/sh"}, input=keys, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout[-4000:]
    return done.stdout


@pytest.mark.parametrize("block", [each for each in blocks("docker") if each.language == "sh"], ids=str)
def test_documented_commands_work(stack: Stack, block: Block) -> None:
    # .ci/run already runs test.sh with all tests. For the other commands, a few tests are enough.
    commands = re.sub(r"^.*scripts/test\.sh$", "", block.text, flags=re.MULTILINE)
    commands = re.sub(r"((?:test-local|tests-start)\.sh.*)", r"\1 -n 0 app/tests/crud/test_user.py", commands)
    output = in_terminal(stack, commands)
    for command in re.findall(r"^ *(docker.* down -v)", output, re.MULTILINE):
        in_terminal(stack, command)
    if "tests" in commands:
        assert len(re.findall(r"\d+ passed", output)) == commands.count("test_user.py")
        assert ("coverage" in output) == ("--cov" in commands)
    elif "users/me" in commands:
        assert re.search(r'\{"id":\d+.*"is_superuser":true', output)


def test_exec_opens_a_shell_as_root(stack: Stack) -> None:
    (command,) = typed("alembic current")
    output = in_terminal(stack, "docker-compose exec backend bash", f"{command}\nexit\n")
    assert re.search(r"root@[0-9a-f]{12}:/app# ", output)
    assert " (head)" in output


def test_backend_worker_and_beat_reload_code(stack: Stack) -> None:
    stack.replace("backend/app/app/__init__.py", r'"0\.1\.0"', '"0.1.1"')
    eventually(lambda: httpx2.get(f"{WEB}/api/").json()["version"] == "0.1.1")
    eventually(lambda: "starting again" in stack.compose("logs", "celeryworker"))
    eventually(lambda: stack.compose("logs", "celeryworker").count(" ready.") == 2)
    eventually(lambda: stack.compose("logs", "celerybeat").count("beat: Starting") == 2)


def test_server_can_be_started_manually(stack: Stack) -> None:
    (command,) = typed("start-reload.sh")
    stack.replace("docker-compose.override.yml", r"^    # (command: bash -c .*)\n    command: .*$", r"    \1")
    stack.compose("up", "--detach")
    assert "while true" in stack.execute("sh", "-c", "tr '\\0' ' ' </proc/1/cmdline")
    stack.compose("exec", "--detach", "backend", *command.split())
    eventually(lambda: httpx2.get(f"{WEB}/api/").status_code == 200)
    stack.replace("docker-compose.override.yml", r"^    command: bash -c .*$", "    command: /start-reload.sh")
    up(stack)


def test_files_written_by_tests_belong_to_the_owner_of_the_folder(stack: Stack) -> None:
    app = stack.folder / "backend/app"
    arguments = ["app/tests/crud/test_user.py", "-k", "user or no_such_test"]
    assert "passed" in stack.execute("/app/tests-start.sh", *arguments, "--cov-report=html")
    assert (app / "htmlcov/index.html").exists()
    assert [path for path in app.rglob("*") if path.lstat().st_uid != OWNER] == []


def test_revisions_belong_to_the_owner_of_the_folder(stack: Stack, api: httpx2.Client) -> None:
    stack.replace(
        "backend/app/app/models/user.py", r"^(    hashed_password: .*)$", r"\1\n    added_by_a_test: Mapped[str | None]"
    )
    make, apply = typed("alembic revision")
    stack.execute("sh", "-c", make)
    (revision,) = (stack.folder / "backend/app/alembic/versions").glob("*_add_column_last_name_to_user_model.py")
    assert revision.stat().st_uid == OWNER
    assert "added_by_a_test" in revision.read_text()
    stack.execute("sh", "-c", apply)
    eventually(lambda: api.get("/users/me").status_code == 200)
    stack.execute("alembic", "downgrade", "-1")
    revision.unlink()
    stack.replace("backend/app/app/models/user.py", r"^    added_by_a_test: .*\n", "")
    eventually(lambda: api.get("/users/me").status_code == 200)


@pytest.mark.parametrize("port", [80, 1080, 5050, 5555, 8080, 8888])
def test_ports_are_bound_to_loopback(stack: Stack, port: int) -> None:
    # 127.0.0.2 stands for an address that other machines would use.
    with socket.create_connection(("127.0.0.1", port), 5), pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.2", port), 5)


@pytest.mark.parametrize("address", ["0.0.0.0", "192.0.2.7"])
def test_bind_address_opens_the_ports(stack: Stack, address: str) -> None:
    config = json.loads(stack.compose("config", "--format", "json", env={"BIND_ADDRESS": address}))
    ports = [port for service in config["services"].values() for port in service.get("ports", [])]
    assert {port["host_ip"] for port in ports} == {address}
    assert {port["published"] for port in ports} == {"80", "1080", "5050", "5555", "8080", "8888"}


# The capabilities with which a service starts. All other services start without any.
CAPABILITIES = {"docker-proxy": 1 << 6, "pgadmin": 1 << 10}  # SETGID, NET_BIND_SERVICE
# Exceptions: in these, root writes to the project folder, which needs capabilities.
WITH_CAPABILITIES = {"backend", "celeryworker", "celerybeat"}


def test_containers_run_unprivileged(stack: Stack) -> None:
    services = set(stack.compose("config", "--services").split())
    for service in services:
        lines = stack.execute("cat", "/proc/1/status", service=service).splitlines()
        status = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
        assert status["NoNewPrivs"] == "1", service
        if service not in WITH_CAPABILITIES:
            assert int(status["CapBnd"], 16) == CAPABILITIES.get(service, 0), service


CONNECT = """
import socket, sys
from concurrent.futures import ThreadPoolExecutor

def connects(address):
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), 1).close()
    except OSError:
        return False
    return True

with ThreadPoolExecutor() as pool:
    print(*[address for address, ok in zip(sys.argv[1:], pool.map(connects, sys.argv[1:])) if ok])
"""


def test_services_reach_only_their_networks(stack: Stack) -> None:
    address = "{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}"
    targets = {
        f"{host}:{port}"
        for name, port in {"db": 5432, "redis": 6379}.items()
        for host in [name, *container(stack, name, address).split()]
    }
    for service in ("proxy", "frontend", "mailcatcher", "docker-proxy"):
        assert stack.beside(service, CONNECT, *targets) == "\n", service
    for service in ("backend", "celeryworker", "celerybeat", "pgadmin", "flower"):
        assert set(stack.beside(service, CONNECT, *targets).split()) == targets, service


def test_only_traefik_reaches_docker(stack: Stack) -> None:
    address = container(stack, "docker-proxy", "{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}").strip()
    targets = ["docker-proxy:2375", f"{address}:2375"]
    assert stack.beside("proxy", CONNECT, *targets).split() == targets
    for service in ("backend", "pgadmin", "db", "frontend"):
        assert stack.beside(service, CONNECT, *targets) == "\n", service


@pytest.mark.parametrize("password", ["", "another", "changethis "])
def test_redis_rejects_other_passwords(stack: Stack, password: str) -> None:
    env = ["env", f"REDISCLI_AUTH={password}"]
    assert re.search("NOAUTH|WRONGPASS", stack.execute(*env, "redis-cli", "KEYS", "*", service="redis"))
    assert stack.execute("redis-cli", "PING", service="redis") == "PONG\n"


def test_no_command_line_contains_a_secret(stack: Stack) -> None:
    processes = stack.compose("top")
    assert "redis-server" in processes
    assert "changethis" not in processes


REQUEST = """
import http.client, sys

for line in sys.argv[1:]:
    connection = http.client.HTTPConnection("docker-proxy", 2375, timeout=5)
    connection.putrequest(*line.split(), skip_host=True)
    connection.putheader("Host", "docker-proxy")
    connection.endheaders()
    print(connection.getresponse().status)
"""
ALLOWED = ["GET /version", "GET /containers/json", "GET /v1.44/containers/json?all=1"]
FORBIDDEN = [
    "POST /containers/json",
    "POST /containers/create",
    "POST /v1.44/exec/x/start",
    "POST /v1.44/version",
    "DELETE /containers/x",
    "PUT /containers/x/archive?path=/",
    "HEAD /containers/x/archive?path=/",
    "GET /containers/x/archive?path=/",
    "GET /containers/x/logs",
    "GET /images/json",
    "GET /secrets",
    "GET /containers/json/../../images/json",
    "GET /images/json%3f/containers/json",
    "GET /v1.44/containers/..%2f..%2fimages/json",
    "GET //images/json",
    "GET /",
]


def test_docker_proxy_allows_only_requests_of_traefik(stack: Stack) -> None:
    statuses = stack.beside("proxy", REQUEST, *ALLOWED, *FORBIDDEN).split()
    expected = {**dict.fromkeys(ALLOWED, "200"), **dict.fromkeys(FORBIDDEN, "403")}
    assert dict(zip([*ALLOWED, *FORBIDDEN], statuses, strict=True)) == expected
    assert stack.execute("sh", "-c", "find / -name docker.sock 2>/dev/null || true", service="proxy") == ""


def test_psql_opens_the_application_database(stack: Stack) -> None:
    query = "SELECT current_user, current_database()"
    assert stack.execute("psql", "-Atc", query, service="db") == "app|app\n"
    assert stack.execute("psql", "-U", "postgres", "-Atc", query, service="db") == "postgres|app\n"


@pytest.mark.parametrize(
    "statement",
    [
        "COPY (SELECT 1) TO PROGRAM 'id'",
        "SELECT pg_read_file('/etc/passwd')",
        "CREATE ROLE another",
        "ALTER SYSTEM SET log_statement = 'all'",
        "SELECT rolpassword FROM pg_authid",
    ],
)
def test_application_role_is_not_a_superuser(stack: Stack, statement: str) -> None:
    psql = ["docker", "compose", "exec", "-T", "db", "psql", "-U", "app", "app", "-c", statement]
    code, output = stack.outcome(*psql)
    assert code == 1
    assert re.search("permission denied|must be superuser|Only roles with", output), output


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO \"user\" (email, hashed_password) VALUES ('canary@example.com', '$argon2id$canary'), (NULL, NULL)",
        'INSERT INTO "user" SELECT * FROM "user" WHERE email <> \'canary\'',
        "SELECT 'canary'::int",
        "UPDATE \"user\" SET email = NULL WHERE email <> 'canary'",
    ],
)
def test_database_log_contains_no_values(stack: Stack, statement: str) -> None:
    def errors() -> list[str]:
        return re.findall(r"ERROR: .*", stack.compose("logs", "db"))

    before = len(errors())
    psql = ["docker", "compose", "exec", "-T", "db", "psql", "-U", "app", "app", "-c", statement]
    assert stack.outcome(*psql)[0] == 1
    eventually(lambda: len(errors()) > before)
    # The first line of an error may quote an invalid input, such as text instead of an integer.
    text = "\n".join(line for line in stack.compose("logs", "db").splitlines() if "ERROR: " not in line)
    assert not re.search(r"canary|argon2|admin@example\.com|STATEMENT|DETAIL", text)


def test_pgadmin_connects_and_runs_no_commands(stack: Stack) -> None:
    with httpx2.Client(base_url=f"{WEB}:5050", timeout=30, follow_redirects=True) as client:
        token = re.findall(r'"csrfToken": "([^"]+)"', client.get("/login").text)[0]
        login = {"email": ADMIN["username"], "password": ADMIN["password"], "csrf_token": token}
        client.post("/authenticate/login", data=login).raise_for_status()
        client.headers["X-pgA-CSRFToken"] = token
        # pgAdmin connects to the registered server without a password prompt.
        client.post("/browser/server/connect/1/1").raise_for_status()
        client.delete("/browser/server/connect/1/1").raise_for_status()
        command = {"passexec_cmd": "touch /tmp/canary", "connection_params": {"deleted": [{"name": "passfile"}]}}
        client.put("/browser/server/obj/1/1", json=command).raise_for_status()
        client.post("/browser/server/connect/1/1")
    assert "canary" not in stack.execute("ls", "/tmp", service="pgadmin")


def test_mail_catcher_rejects_other_websites(stack: Stack) -> None:
    assert httpx2.get(f"{WEB}:1080/api/email").status_code == 200
    for headers in (
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"},
        {"Host": "evil.example:1080"},
    ):
        response = httpx2.get(f"{WEB}:1080/api/email", headers=headers)
        assert response.status_code == 403, headers
        assert not [name for name in response.headers if name.lower().startswith("access-control-")]


# Settings with a published value ("changethis"), by service.
SECRETS_OF = {
    "flower": {"FLOWER_BASIC_AUTH", "REDIS_PASSWORD"},
    "backend": {"SECRET_KEY", "POSTGRES_PASSWORD", "REDIS_PASSWORD", "FIRST_SUPERUSER_PASSWORD"},
    "celeryworker": {"SECRET_KEY", "POSTGRES_PASSWORD", "REDIS_PASSWORD", "FIRST_SUPERUSER_PASSWORD"},
    "celerybeat": {"SECRET_KEY", "POSTGRES_PASSWORD", "REDIS_PASSWORD", "FIRST_SUPERUSER_PASSWORD"},
    "proxy": set(),
    "docker-proxy": set(),
    "frontend": set(),
    "redis": {"REDISCLI_AUTH"},
    "db": {"POSTGRES_PASSWORD", "APP_PASSWORD", "SUPERUSER_PASSWORD"},
}
# These services also get the settings that a project adds to .env.
WITH_ENV_FILE = {"backend", "celeryworker", "celerybeat"}
PUBLISHED = {name for names in SECRETS_OF.values() for name in names} | {
    "POSTGRES_SUPERUSER_PASSWORD",
    "PGADMIN_DEFAULT_PASSWORD",
}


@pytest.mark.parametrize("service", SECRETS_OF)
def test_services_get_only_the_secrets_they_use(stack: Stack, service: str) -> None:
    variables = dict(line.split("=", 1) for line in container(stack, service, ENVIRONMENT).splitlines() if "=" in line)
    secrets = {name for name, value in variables.items() if "changethis" in value}
    if service in WITH_ENV_FILE:
        assert secrets & PUBLISHED == SECRETS_OF[service]
    else:
        assert secrets == SECRETS_OF[service]
        assert not [name for name in variables if name.startswith(("SMTP_", "FIRST_SUPERUSER", "SECRET_KEY"))]


def test_jupyter_reaches_the_database(stack: Stack) -> None:
    (command,) = typed("lab?token=")
    stack.compose("exec", "--detach", "backend", "bash", "-c", f"{command} >/tmp/jupyter.log 2>&1")
    address = re.compile(r"http://localhost:8888/lab\?token=(\w+)")
    token = eventually(lambda: address.search(stack.execute("cat", "/tmp/jupyter.log")))[1]
    assert httpx2.get(f"{WEB}:8888/api/status").status_code == 403
    assert httpx2.get(f"{WEB}:8888/api/status", params={"token": token}).status_code == 200

    code = "from app import crud\nfrom app.db.session import ReadSession\ncrud.user.get_multi(ReadSession())[0].email"
    cell: dict[str, object] = {"cell_type": "code", "source": code, "outputs": [], "metadata": {}}
    cell["execution_count"] = None
    notebook = json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 4})
    run = f"cat >/tmp/test.ipynb <<'END'\n{notebook}\nEND\njupyter execute --inplace /tmp/test.ipynb"
    stack.execute("sh", "-c", run)
    assert ADMIN["username"] in stack.execute("cat", "/tmp/test.ipynb")
    stack.compose("restart", "backend")
    eventually(lambda: httpx2.get(f"{WEB}/api/").status_code == 200)


def is_the_web_app(host: str, path: str = "/login") -> bool:
    response = httpx2.get(WEB + path, headers={"Host": host})
    return response.status_code == 200 and '<div id="app">' in response.text


def logs_in(host: str) -> bool:
    headers = {"Host": host, "Origin": f"http://{host}"}
    response = httpx2.post(f"{WEB}/api/v1/login/access-token", data=ADMIN, headers=headers)
    return response.status_code == 200 and "access_token" in response.json()


def has_link(origin: str) -> bool:
    mails = httpx2.get(f"{WEB}:1080/api/email").json()
    return any(f"{origin}/reset-password" in mail["text"] for mail in mails)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "192.0.2.7", "[2001:db8::7]", "another.example.org"])
def test_web_app_works_at_every_address(stack: Stack, host: str) -> None:
    assert is_the_web_app(host)
    assert logs_in(host)


def caching(path: str) -> tuple[int, str]:
    response = httpx2.get(WEB + path, headers={"Accept": "text/html"})
    return response.status_code, response.headers["Cache-Control"]


def test_assets_are_cached_and_pages_are_not(stack: Stack) -> None:
    assets = set(re.findall(r"/assets/[^\"]+", httpx2.get(f"{WEB}/login").text))
    assert len(assets) > 1
    for path in assets:
        assert caching(path) == (200, "public, max-age=31536000, immutable")
        assert httpx2.get(WEB + path).headers["Content-Type"].endswith("; charset=utf-8")
        compressed = httpx2.get(WEB + path, headers={"Accept-Encoding": "gzip, br"})
        assert compressed.headers["Content-Encoding"] == "br"
        assert compressed.headers["Content-Type"] == httpx2.get(WEB + path).headers["Content-Type"]
        # Traefik would not send the length of what it compresses itself.
        assert int(compressed.headers["Content-Length"]) < 0.95 * size(path)
        assert "Accept-Encoding" in compressed.headers["Vary"]
    for path in ("/", "/login", "/index.html", "/favicon.svg"):
        assert caching(path) == (200, "no-cache")
    for path in ("/assets/index-OLD.js", "/assets/x/y.css", "/assets/"):
        assert caching(path) == (404, "no-cache")
        missing = httpx2.get(WEB + path)
        assert '<div id="app">' not in missing.text
        assert missing.headers["X-Content-Type-Options"] == "nosniff"


def size(path: str) -> int:
    return len(httpx2.get(WEB + path).content)


def test_proxy_closes_idle_connections_before_the_backend_does(stack: Stack) -> None:
    def request() -> None:
        httpx2.get(f"{WEB}/api/").raise_for_status()

    def open_connections() -> int:
        return int(stack.execute("python", "-c", OPEN_CONNECTIONS))

    eventually(lambda: proxy_closes_first(request, open_connections))


def test_setting_changes_the_name_of_the_web_app(stack: Stack) -> None:
    for name in ("Another name", TITLE):
        stack.replace("frontend/.env", r"^VUE_APP_NAME=.*$", f"VUE_APP_NAME={name}")
        stack.compose("up", "--detach")
        eventually(partial(page_has, f"<title>{name}</title>"))
        assert httpx2.get(f"{WEB}/manifest.webmanifest").json()["name"] == name


def page_has(text: str) -> bool:
    return text in httpx2.get(WEB).text


def test_one_line_in_each_of_two_files_changes_the_domain(stack: Stack) -> None:
    try:
        use_domain(stack, "localhost.tiangolo.com")
        eventually(partial(is_the_web_app, "localhost.tiangolo.com"))
        eventually(partial(logs_in, "localhost.tiangolo.com"))
        httpx2.delete(f"{WEB}:1080/api/email/all").raise_for_status()
        httpx2.post(f"{WEB}/api/v1/password-recovery/{ADMIN['username']}").raise_for_status()
        assert eventually(partial(has_link, "http://localhost.tiangolo.com"))
    finally:
        use_domain(stack, "localhost")
    eventually(partial(logs_in, "localhost"))


def use_domain(stack: Stack, domain: str) -> None:
    stack.replace(".env", r"^DOMAIN=.*$", f"DOMAIN={domain}")
    stack.replace("frontend/.env", r"^VUE_APP_DOMAIN_DEV=.*$", f"VUE_APP_DOMAIN_DEV={domain}")
    up(stack)


def get_path(path: str) -> httpx2.Response:
    """Send a path unchanged. In a URL, httpx2 would normalize the path."""
    with httpx2.Client() as client:
        return client.get(WEB, extensions={"target": path.encode()})


@pytest.mark.parametrize("path", PATHS["backend"])
def test_backend_paths_do_not_show_the_web_app(stack: Stack, path: str) -> None:
    response = get_path(path)
    assert response.status_code in (200, 307, 404)
    assert '<div id="app">' not in response.text
    if response.status_code == 404:
        assert response.json()["detail"] == "Not Found"


def shows_web_app(path: str) -> bool:
    response = get_path(path)
    return response.status_code == 200 and '<div id="app">' in response.text


@pytest.mark.parametrize("path", PATHS["frontend"])
def test_other_paths_show_the_web_app(stack: Stack, path: str) -> None:
    assert shows_web_app(path)


def test_api_paths_return_a_json_404_without_the_backend(stack: Stack) -> None:
    stack.compose("stop", "backend")
    eventually(lambda: httpx2.get(f"{WEB}/api/").status_code == 404)
    for path in PATHS["backend"]:
        response = get_path(path)
        assert response.status_code == 404, path
        assert response.headers["Content-Type"] == "application/json", path
        # A 404 of the API itself would contain a code.
        assert "code" not in response.json(), path
    assert [path for path in PATHS["frontend"] if not shows_web_app(path)] == []
    stack.compose("start", "backend")
    eventually(lambda: httpx2.get(f"{WEB}/api/").status_code == 200)


def test_backend_stays_healthy_without_redis(stack: Stack, api: httpx2.Client) -> None:
    stack.compose("stop", "redis")
    assert api.get("/users/").status_code == 200
    stack.execute(
        "python", "-c", "from urllib.request import urlopen; urlopen('http://localhost/api/v1/utils/health/live')"
    )
    for service in ("celeryworker", "celerybeat"):
        stack.execute("python", "-m", f"app.{service}_live", service=service)
    stack.compose("start", "redis")
    up(stack)


@pytest.mark.parametrize(
    ("service", "message"), [("celeryworker", "doesn't respond"), ("celerybeat", "has not ticked for a minute")]
)
def test_unresponsive_process_is_unhealthy(stack: Stack, service: str, message: str) -> None:
    check = ["docker", "compose", "exec", "-T", service, "python", "-m", f"app.{service}_live"]
    signal = (
        "for process in /proc/[0-9]*; do case $(tr '\\0' ' ' <$process/cmdline) in"
        " /venv/bin/python*) kill -{} ${{process#/proc/}} ;; esac; done"
    )
    stack.execute("sh", "-c", signal.format("STOP"), service=service)
    # Do not wait until the last tick expires.
    stack.execute("redis-cli", "DEL", "celerybeat", service="redis")
    code, output = stack.outcome(*check)
    stack.execute("sh", "-c", signal.format("CONT"), service=service)
    assert code == 1
    assert message in output
    assert eventually(lambda: stack.outcome(*check)[0] == 0)


def test_down_keeps_data(stack: Stack, api: httpx2.Client) -> None:
    api.put("/users/me", json={"full_name": "kept"}).raise_for_status()
    stack.compose("down")
    up(stack)
    assert api.get("/users/me").json()["full_name"] == "kept"


def start_backend(stack: Stack, *options: str) -> tuple[int, str]:
    return stack.outcome("docker", "compose", "run", "--rm", "--no-deps", *options, "backend", "/start.sh", "true")


def create_role(message: str) -> str:
    """Return the command that the backend's message names."""
    found = re.search(r"docker-compose (exec db psql .*create-role\.sql)", message)
    assert found, message
    return found[1]


def test_wrong_database_password_is_reported_with_the_fix(stack: Stack) -> None:
    code, message = start_backend(stack, "-e", "POSTGRES_PASSWORD=another")
    assert code == 1
    assert "The database rejects the user 'app'" in message
    assert create_role(message)


def test_reported_command_changes_the_passwords(stack: Stack) -> None:
    password = "it's: $1 @/% \\ #\""
    new = {"POSTGRES_PASSWORD": password, "POSTGRES_SUPERUSER_PASSWORD": f"{password} too"}
    try:
        stack.compose("up", "--detach", "--wait", "db", env=new)
        code, message = start_backend(stack, "-e", f"POSTGRES_PASSWORD={password}")
        assert code == 1
        stack.compose(*create_role(message).split())
        code, message = start_backend(stack, "-e", f"POSTGRES_PASSWORD={password}")
        assert code == 0, message
        login = "postgresql://postgres@127.0.0.1/postgres"
        for given, expected in ((f"{password} too", 0), ("changethis", 2)):
            check = ["docker", "compose", "exec", "-T", "-e", f"PGPASSWORD={given}", "db", "psql", "-c", "", login]
            assert stack.outcome(*check)[0] == expected
    finally:
        stack.compose("up", "--detach", "--wait", "db")
        stack.compose("exec", "-T", "db", "psql", "-U", "postgres", "-f", CREATE_ROLE)
    up(stack)


CREATE_ROLE = "/docker-entrypoint-initdb.d/create-role.sql"
# In older versions, the superuser owned everything.
OLDER = """
REASSIGN OWNED BY app TO postgres;
ALTER DATABASE app OWNER TO postgres;
DROP OWNED BY app;
DROP ROLE app;
"""


def test_reported_command_upgrades_an_older_volume(stack: Stack, api: httpx2.Client) -> None:
    api.put("/users/me", json={"full_name": "older"}).raise_for_status()
    stack.compose("stop", "backend", "celeryworker", "celerybeat", "pgadmin")
    stack.execute("psql", "-U", "postgres", "-c", OLDER, service="db")
    code, message = start_backend(stack)
    assert code == 1
    stack.compose(*create_role(message).split())
    up(stack)

    def full_name() -> str:
        response = api.get("/users/me")
        assert response.status_code == 200, response.text
        return str(response.json()["full_name"])

    assert eventually(full_name) == "older"
    owners = "SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'"
    assert stack.execute("psql", "-Atc", owners, service="db") == "app\n"


def test_superuser_is_rejected_as_application_role(stack: Stack) -> None:
    code, output = stack.outcome("docker", "compose", "run", "--rm", "db", env={"POSTGRES_USER": "postgres"})
    assert code == 1
    assert "POSTGRES_USER=postgres is the server's superuser: set another name in .env" in output


@pytest.mark.parametrize("password", ["changethis", "admin:changethis", "changethis1"])
def test_published_login_is_rejected_in_production(stack: Stack, password: str) -> None:
    for service, name in {"pgadmin": "PGADMIN_DEFAULT_PASSWORD", "flower": "FLOWER_BASIC_AUTH"}.items():
        login = f"someone:{password}" if service == "flower" else password
        variables = ("ENVIRONMENT=production", "REDIS_PASSWORD=of its own", f"{name}={login}")
        options = [option for variable in variables for option in ("-e", variable)]
        code, output = stack.outcome("docker", "compose", "run", "--rm", "--no-deps", *options, service)
        assert code == 1
        assert name in output


def test_production_deploys_tools_only_with_their_profile(stack: Stack) -> None:
    def services(**env: str) -> set[str]:
        return set(stack.compose("-f", "docker-compose.yml", "config", "--services", env=env).split())

    assert services(COMPOSE_PROFILES="tools") - services() == {"pgadmin", "flower"}
    assert "docker-proxy" in services()


def test_data_of_another_postgresql_version_is_rejected(stack: Stack, tmp_path: Path) -> None:
    (tmp_path / "PG_VERSION").write_text("12\n")
    tmp_path.chmod(0o755)
    code, output = stack.outcome(
        "docker", "compose", "run", "--rm", "--volume", f"{tmp_path}:/var/lib/postgresql", "db"
    )
    assert code == 1
    assert "holds a database of PostgreSQL 12" in output
    assert [path.name for path in tmp_path.iterdir()] == ["PG_VERSION"]


@pytest.mark.parametrize("name", ["DOMAIN", "STACK_NAME", "POSTGRES_PASSWORD", "SECRET_KEY", "FLOWER_BASIC_AUTH"])
def test_missing_setting_is_named(stack: Stack, name: str) -> None:
    code, output = stack.outcome("docker", "compose", "up", "--detach", env={name: ""})
    assert code == 1
    assert name in output
    assert "set it in .env" in output


def images(stack: Stack, **env: str) -> set[str]:
    return set(stack.compose("config", "--images", env=env).split())


def test_images_are_named_after_the_stack(stack: Stack) -> None:
    assert images(stack) >= {f"{DEFAULTS['STACK_NAME']}-{name}:latest" for name in IMAGES}
    assert images(stack, STACK_NAME="another", TAG="1") >= {f"another-{name}:1" for name in IMAGES}


def test_named_project_has_its_own_images(tmp_path: Path) -> None:
    named = Stack(tmp_path / "named project")
    named.run("sh", "-c", SETUP)
    assert images(named) >= {f"mullers-sohne-shop-1-{name}:latest" for name in IMAGES}
    named.run("sh", "./scripts/check-compose.sh")
    environment = json.loads(named.compose("config", "--format", "json"))["services"]["backend"]["environment"]
    assert environment["PROJECT_NAME"] == NAME
    assert environment["FIRST_SUPERUSER"] == "me+shop@example.net"


@pytest.mark.parametrize("name", IMAGES)
def test_shell_overrides_image_names(stack: Stack, name: str) -> None:
    given = f"registry.example.com:5000/x/{name}"
    assert f"{given}:latest" in images(stack, **{f"DOCKER_IMAGE_{name.upper()}": given})


def test_two_stacks_use_separate_images(stack: Stack, tmp_path: Path) -> None:
    def ids(name: str) -> str:
        names = [f"{name}-{image}" for image in IMAGES]
        return stack.run("docker", "image", "inspect", "--format", "{{.Id}}", *names)

    before = ids(DEFAULTS["STACK_NAME"])
    another = Stack(tmp_path / "another stack", {"STACK_NAME": "another"})
    another.replace("backend/app/app/__init__.py", r'"0\.1\.0"', '"7.7.7"')
    another.compose("build")
    try:
        for image in ("another-backend", "another-celeryworker"):
            assert "7.7.7" in stack.run("docker", "run", "--rm", image, "cat", "/app/app/__init__.py")
        assert ids(DEFAULTS["STACK_NAME"]) == before
        assert not set(ids("another").split()) & set(before.split()[:2])
    finally:
        stack.outcome("docker", "rmi", "another-backend", "another-celeryworker", "another-frontend")


CANARY = "canary-in-every-log"
PASSWORD = "a secret of the log's test"
# These services log nothing about requests.
STARTED = {"redis": "Ready to accept connections", "celerybeat": "beat: Starting"}


def plant_canaries(stack: Stack, api: httpx2.Client) -> list[str]:
    """Send secrets to the services, and make the services log the canary. Return the secrets."""
    mail = f"{CANARY}@example.com"
    created = api.post("/users/", json={"email": mail, "password": PASSWORD})
    assert created.status_code == 201
    # Send requests that fail: their input could be logged.
    assert api.post("/users/", json={"email": mail, "password": PASSWORD}).status_code == 409
    assert api.post("/users/", json={"email": "?", "password": PASSWORD}).status_code == 422
    login = api.post("/login/access-token", data={"username": mail, "password": PASSWORD}).raise_for_status()
    assert api.post("/login/access-token", data={"username": mail, "password": f"{PASSWORD}!"}).status_code == 400
    api.post(f"/password-recovery/{mail}").raise_for_status()

    def token() -> str | None:
        texts = [each["text"] for each in httpx2.get(f"{WEB}:1080/api/email").json()]
        links = [re.search(r"token=([\w.-]+)", text) for text in texts if "recovery" in text or "reset" in text]
        return next((link[1] for link in links if link), None)

    reset = eventually(token)
    # Links of earlier versions have the token in the query.
    httpx2.get(f"{WEB}/reset-password", params={"token": reset}).raise_for_status()
    new = {"token": reset, "new_password": f"{PASSWORD} 2"}
    api.post("/reset-password/", json=new)
    api.post("/utils/test-celery/", json={"msg": CANARY}).raise_for_status()
    for address in (f"/{CANARY}", f"/api/{CANARY}", f":5050/{CANARY}", f":5555/worker/{CANARY}"):
        httpx2.get(WEB + address, auth=("admin", PASSWORD))
        httpx2.get(WEB + address, auth=("admin", "changethis"))
    stack.outcome("docker", "compose", "exec", "-T", "db", "psql", "-c", f'SELECT "{CANARY}"')
    stack.beside("proxy", REQUEST, f"POST /version?{CANARY}")
    return [PASSWORD, reset, login.json()["access_token"], f"admin:{PASSWORD}"]


def test_no_log_contains_a_secret(stack: Stack, api: httpx2.Client) -> None:
    secrets = plant_canaries(stack, api)
    for service in stack.compose("config", "--services").split():
        eventually(partial(log_has, stack, service, STARTED.get(service, CANARY)))
        log = stack.compose("logs", "--no-log-prefix", service)
        assert find_secrets(log, secrets) == [], service
        # Prove that the search finds a secret.
        assert find_secrets(f"{log}\n{PASSWORD}", secrets) != [], service


def log_has(stack: Stack, service: str, text: str) -> bool:
    return text in stack.compose("logs", service)


def test_taken_port_is_reported(stack: Stack) -> None:
    another = ["docker", "compose", "--project-name", "another"]
    code, output = stack.outcome(*another, "run", "--rm", "--no-deps", "--service-ports", "proxy")
    stack.run(*another, "down", "--volumes")
    assert code != 0
    assert re.search(r":80(80)?\b.*(already allocated|already in use)", output)
