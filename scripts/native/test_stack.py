"""The running stack. Start it first: sh ./scripts/native.sh up -d."""

import json
import os
import re
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import psutil
import pytest

import commands
import health
import settings
import supervise
from environment import environment

ROOT = Path(__file__).parents[2]
ENV = environment()
PORTS = json.loads((ROOT / ".native" / "ports.json").read_text())
WEB = f"http://localhost:{PORTS['proxy']}"
FRONTEND = f"http://localhost:{PORTS['frontend']}"
# The tests of the containers use the same table.
PATHS = json.loads((ROOT / "scripts" / "paths.json").read_text())


def native(*words: str) -> str:
    command = ["sh", str(ROOT / "scripts" / "native.sh"), *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def eventually(check: Callable[[], Any], seconds: float = 90) -> Any:
    """Return the result of `check` once it is truthy. Until then, `check` may raise an HTTP error."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            if result := check():
                return result
        except httpx2.HTTPError:
            pass
        assert time.monotonic() < deadline, "timed out"
        time.sleep(0.2)


def succeeded(response: httpx2.Response) -> httpx2.Response | None:
    return response if response.is_success else None


@pytest.fixture
def api() -> Iterator[httpx2.Client]:
    """A client of the API, logged in as the first superuser."""
    with httpx2.Client(base_url=f"{WEB}/api/v1") as client:
        form = {"username": ENV["FIRST_SUPERUSER"], "password": ENV["FIRST_SUPERUSER_PASSWORD"]}
        login = eventually(lambda: succeeded(client.post("/login/access-token", data=form)))
        token = login.json()["access_token"]
        client.headers["Authorization"] = f"Bearer {token}"
        yield client


def new_email() -> str:
    return f"{uuid4().hex}@example.com"


def mail_to(address: str) -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        mails = httpx2.get(f"http://localhost:{PORTS['mail']}/api/email").json()
        return next((mail for mail in mails if mail["to"][0]["address"] == address), None)

    # The mail catcher may still be installing itself. Until it runs, the worker retries.
    found: dict[str, Any] = eventually(look, 300)
    return found


def assert_security_headers(response: httpx2.Response) -> None:
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert "frame-ancestors 'none'" in response.headers["Content-Security-Policy"]
    assert "Strict-Transport-Security" not in response.headers


@pytest.mark.parametrize("path", ["/api/", "/docs", "/redoc", "/api/v1/openapi.json"])
def test_proxy_serves_the_backend(path: str) -> None:
    response = httpx2.get(WEB + path, headers={"X-Forwarded-Proto": "https"})
    assert response.status_code == 200
    assert_security_headers(response)


@pytest.mark.parametrize("path", ["/", "/login", "/main/admin/users/all?q=word"])
def test_proxy_serves_the_web_app(path: str) -> None:
    response = httpx2.get(WEB + path, headers={"Accept": "text/html", "X-Forwarded-Proto": "https"})
    assert response.status_code == 200
    assert '<div id="app">' in response.text
    assert_security_headers(response)


def get_path(path: str, origin: str = WEB) -> httpx2.Response:
    """Send a path unchanged. In a URL, httpx2 would normalize the path."""
    with httpx2.Client(headers={"Accept": "text/html"}) as client:
        return client.get(origin, extensions={"target": path.encode()})


@pytest.mark.parametrize("path", PATHS["backend"])
def test_backend_paths_do_not_show_the_web_app(path: str) -> None:
    response = get_path(path)
    assert response.status_code in (200, 307, 404)
    assert '<div id="app">' not in response.text
    if response.status_code == 404:
        assert response.json()["detail"] == "Not Found"


@pytest.mark.parametrize("path", PATHS["frontend"])
def test_other_paths_show_the_web_app(path: str) -> None:
    response = get_path(path)
    assert response.status_code == 200
    assert '<div id="app">' in response.text


def test_vite_proxies_only_api_paths() -> None:
    """With `npm run serve`, requests do not pass through Traefik."""
    for path in ("/api-keys", "/apis", "/api;x", "/API/x"):
        assert '<div id="app">' in get_path(path, FRONTEND).text, path
    for path in ("/api", "/api/", "/api?x", "/api/v1/nothing"):
        assert '<div id="app">' not in get_path(path, FRONTEND).text, path


def test_unknown_path_of_the_api_is_a_json_404() -> None:
    response = httpx2.get(f"{WEB}/api/v1/nothing", headers={"Accept": "text/html"})
    assert response.status_code == 404
    assert response.json()["detail"] == "Not Found"


def test_proxy_serves_its_dashboard() -> None:
    assert httpx2.get(f"http://localhost:{PORTS['dashboard']}/dashboard/").status_code == 200


def test_proxy_closes_idle_connections_before_the_backend_does() -> None:
    # The backend closes idle connections after 5 seconds. A request at that moment would fail with a 502.
    httpx2.get(f"{WEB}/api/").raise_for_status()
    eventually(lambda: not open_connections("backend"), 4.5)


def open_connections(port: str) -> list[Any]:
    connections = psutil.net_connections("tcp")
    return [one for one in connections if one.raddr and one.raddr.port == PORTS[port] and one.status == "ESTABLISHED"]


def test_flower_requires_login() -> None:
    url = f"http://localhost:{PORTS['flower']}/"
    name, _, password = str(ENV["FLOWER_BASIC_AUTH"]).partition(":")
    eventually(lambda: httpx2.get(url).status_code == 401)
    assert httpx2.get(url, auth=(name, password), follow_redirects=True).status_code == 200


def create_user(api: httpx2.Client, name: str) -> httpx2.Response:
    return api.post("/users/", json={"email": new_email(), "password": "a password", "full_name": name})


def test_users_are_stored_and_tasks_run(api: httpx2.Client) -> None:
    created = create_user(api, "A name")
    assert created.status_code == 201
    assert api.get(f"/users/{created.json()['id']}").json()["full_name"] == "A name"
    assert api.post("/utils/test-celery/", json={"msg": "word"}).status_code == 201
    eventually(lambda: "test task return word" in native("logs", "celeryworker"))


@pytest.mark.parametrize("header", ["X-Forwarded-For", "X-Real-IP", "Forwarded"])
def test_forged_address_does_not_raise_the_limit_of_attempts(header: str) -> None:
    form = {"username": f"{uuid4()}@example.com", "password": "a wrong one"}
    url = f"{WEB}/api/v1/login/access-token"
    forged = [{header: f"{'for=' * (header == 'Forwarded')}192.0.2.{number}"} for number in range(11)]
    statuses = [httpx2.post(url, data=form, headers=each).status_code for each in forged]
    assert statuses == [400] * 10 + [429]


def test_link_in_recovery_mail_sets_password(api: httpx2.Client) -> None:
    user = {"email": new_email(), "password": "a password"}
    api.post("/users/", json=user)
    assert "New account" in mail_to(user["email"])["subject"]
    httpx2.delete(f"http://localhost:{PORTS['mail']}/api/email/all")

    assert api.post(f"/password-recovery/{user['email']}").status_code == 202
    link = re.search(r"http\S+/reset-password#token=(\S+)", mail_to(user["email"])["text"])
    assert link
    assert link[0].startswith(WEB.removesuffix(":80"))
    body = {"token": link[1], "new_password": "new password"}
    assert api.post("/reset-password/", json=body).status_code == 200
    form = {"username": user["email"], "password": "new password"}
    assert api.post("/login/access-token", data=form).status_code == 200


@pytest.fixture
def another_domain() -> Iterator[str]:
    """Change one line in each of two files and restart, as documented. Restore both files at the end."""
    domain = "localhost.tiangolo.com"
    names = {ROOT / ".env": "DOMAIN", ROOT / "frontend" / ".env": "VUE_APP_DOMAIN_DEV"}
    before = {file: file.read_bytes() for file in names}
    try:
        for file, name in names.items():
            line = re.compile(rf"^{name}=.*$", re.MULTILINE)
            changed, count = line.subn(f"{name}={domain}", file.read_text())
            assert count == 1
            file.write_text(changed)
        native("restart")
        yield domain
    finally:
        for file, content in before.items():
            file.write_bytes(content)
        native("restart")


def test_one_line_in_each_of_two_files_changes_the_domain(another_domain: str) -> None:
    origin = WEB.removesuffix(":80").replace("localhost", another_domain)
    headers = {"Host": origin.removeprefix("http://"), "Origin": origin}

    page = httpx2.get(f"{WEB}/login", headers={**headers, "Accept": "text/html"})
    assert '<div id="app">' in page.text
    form = {"username": ENV["FIRST_SUPERUSER"], "password": ENV["FIRST_SUPERUSER_PASSWORD"]}
    assert httpx2.post(f"{WEB}/api/v1/login/access-token", data=form, headers=headers).status_code == 200

    mails = f"http://localhost:{PORTS['mail']}/api/email/all"
    eventually(lambda: httpx2.delete(mails).is_success)
    httpx2.post(f"{WEB}/api/v1/password-recovery/{ENV['FIRST_SUPERUSER']}", headers=headers)
    assert f"{origin}/reset-password" in mail_to(str(ENV["FIRST_SUPERUSER"]))["text"]

    unknown = httpx2.get(f"{WEB}/login", headers={"Host": "another.example.org"})
    assert unknown.status_code == 403


def test_coverage_runs_only_with_its_option(tmp_path: Path) -> None:
    some = ("-n", "0", "app/tests/crud/test_user.py")
    plain = native("test", *some)
    assert re.search(r"\d+ passed", plain)
    assert "coverage" not in plain
    report = tmp_path / "a report's folder"
    covered = native("test", *some, f"--cov-report=html:{report}")
    assert re.search(r"\d+ passed", covered)
    assert "coverage" in covered
    assert "crud_user.py" in (report / "index.html").read_text()


def test_migrations_match_models() -> None:
    assert "No new upgrade operations" in native("exec", "backend", "alembic", "check")


def listening(process: psutil.Process) -> set[int]:
    try:
        connections = process.net_connections("tcp")
    except psutil.Error:  # The process is another user's, or has just ended.
        return set()
    return {each.laddr.port for each in connections if each.status == psutil.CONN_LISTEN}


@pytest.mark.parametrize("port", ["db", "redis", "backend", "proxy", "flower"])
def test_killed_service_restarts(api: httpx2.Client, port: str) -> None:
    user = eventually(lambda: succeeded(create_user(api, port))).json()
    listener = next(process.pid for process in psutil.process_iter() if PORTS[port] in listening(process))
    os.kill(listener, signal.SIGKILL)
    found = eventually(lambda: succeeded(api.get(f"/users/{user['id']}")))
    assert found.json() == user
    word = uuid4().hex
    eventually(lambda: succeeded(api.post("/utils/test-celery/", json={"msg": word})))
    eventually(lambda: f"test task return {word}" in native("logs", "celeryworker"))
    assert " restarting" not in native("ps")


def beat_works() -> bool:
    return health.works("celerybeat", ENV)


def test_killed_beat_ticks_again(monkeypatch: pytest.MonkeyPatch) -> None:
    # The supervisor's socket has a relative path.
    monkeypatch.chdir(settings.RUN)
    eventually(beat_works)
    before = supervise.states()["celerybeat"]["pid"]
    os.kill(before, signal.SIGKILL)
    eventually(lambda: supervise.states()["celerybeat"]["pid"] != before and beat_works())


def test_tick_before_the_start_of_beat_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(settings.RUN)
    eventually(beat_works)
    states = supervise.states()
    states["celerybeat"]["start"] = time.time() + 60
    monkeypatch.setattr(supervise, "states", lambda: states)
    assert not beat_works()


def test_stack_without_a_new_service_can_be_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(settings.RUN)
    supervise.stop_service("added_by_an_update")


def test_taken_port_is_reported_with_its_holder() -> None:
    native("stop", "flower")
    with socket.create_server(("127.0.0.1", PORTS["flower"])):
        started = subprocess.run(
            ["sh", str(ROOT / "scripts" / "native.sh"), "start", "flower"], check=False, capture_output=True, text=True
        )
        reason = rf"flower .*: .*port {PORTS['flower']} is taken by \S+ \(process {os.getpid()}\)"
        assert re.search(reason, started.stderr)
        assert started.returncode == 1
        # `ps` and `up` report a service after its second exit.
        shown = f"{reason}.*sh ./scripts/native.sh logs flower"
        eventually(lambda: re.search(rf"^flower +restarting.*{shown}", native("ps"), re.MULTILINE | re.DOTALL))
        eventually(lambda: re.search(shown, native("up", "-d")))
    native("restart", "flower")
    assert " restarting" not in native("ps")
    assert "keeps failing" not in native("up", "-d")


def test_program_on_the_port_of_a_service_is_not_the_service(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(settings.RUN)
    eventually(lambda: health.works("flower", ENV))
    with socket.create_server(("127.0.0.1", 0)) as other:
        monkeypatch.setattr(health, "read_ports", lambda: {**PORTS, "flower": other.getsockname()[1]})
        works = health.works("flower", ENV)
    assert not works


def test_failing_service_is_shown_by_ps() -> None:
    for _ in range(2):
        running = eventually(lambda: processes_of("flower"))
        running[0].kill()
        running[0].wait()
    shown = native("ps")
    assert re.search(r"^flower +restarting", shown, re.MULTILINE)
    assert "flower keeps failing: " in shown
    native("restart", "flower")
    assert " restarting" not in native("ps")


def processes_of(service: str) -> list[psutil.Process]:
    """Return the processes of a service, oldest first."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.environ().get("NATIVE_SERVICE") == f"{settings.RUN}:{service}":
                found.append(process)
    return sorted(found, key=lambda process: process.create_time())


@contextmanager
def all_the_time(action: Callable[[psutil.Process], None], *, and_resume: bool = False) -> Iterator[None]:
    """Repeat an action on all processes of the worker. With and_resume, let the processes run in between."""
    done = threading.Event()

    def work() -> None:
        while not done.is_set():
            time.sleep(0.02)
            processes = processes_of("celeryworker")
            for process in processes:
                with suppress(psutil.Error):
                    action(process)
            if and_resume:
                time.sleep(0.5)
                for process in processes:
                    with suppress(psutil.Error):
                        process.resume()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
        for process in processes_of("celeryworker"):
            with suppress(psutil.Error):
                process.resume()


@pytest.fixture
def stopped_worker(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Stop the worker. The test then runs commands in this process."""
    # The commands open the supervisor's socket by a relative path.
    monkeypatch.chdir(settings.RUN)
    supervise.stop_service("celeryworker")
    yield
    native("restart", "celeryworker")


@pytest.mark.usefixtures("stopped_worker")
def test_slow_service_is_waited_for() -> None:
    with all_the_time(psutil.Process.suspend, and_resume=True):
        commands.start(["celeryworker"])
    assert health.works("celeryworker", ENV)


@pytest.mark.usefixtures("stopped_worker")
def test_service_that_is_still_starting_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "PATIENCE_SECONDS", 5)
    message = "celeryworker is still starting after [5-9] s. .* logs -f celeryworker"
    with all_the_time(psutil.Process.suspend), pytest.raises(SystemExit, match=message):
        commands.start(["celeryworker"])
    # The command does not stop the service.
    assert "celeryworker" in commands.running_services()


@pytest.mark.usefixtures("stopped_worker")
def test_service_that_keeps_exiting_is_reported() -> None:
    began = time.monotonic()
    with all_the_time(psutil.Process.kill), pytest.raises(SystemExit, match="celeryworker does not start"):
        commands.start(["celeryworker"])
    assert time.monotonic() - began < 30


def test_pgadmin_connects_to_the_database() -> None:
    """This test is last, because pgAdmin may still be installing itself."""
    with httpx2.Client(base_url=f"http://localhost:{PORTS['pgadmin']}") as client:
        page = eventually(lambda: succeeded(client.get("/login")), 400).text
        token = re.search(r'csrfToken[^:]*: *"?\\?"?([\w.-]{20,})', page)
        assert token
        form = {"email": ENV["PGADMIN_DEFAULT_EMAIL"], "password": ENV["PGADMIN_DEFAULT_PASSWORD"]}
        client.post("/authenticate/login", data={**form, "csrf_token": token[1], "internal_button": "Login"})
        # After the login, requests need another token.
        script = client.get("/browser/js/utils.js").text
        token = re.search(r"csrf_token'\] = '([^']+)'", script)
        assert token
        client.headers["X-pgA-CSRFToken"] = token[1]
        (group,) = client.get("/browser/nodes/").json()["data"]
        (server,) = client.get(f"/browser/server/nodes/{group['_id']}/").json()["result"]
        assert server["label"] == "db"
        connected = client.post(f"/browser/server/connect/{group['_id']}/{server['_id']}").json()
        assert connected["data"]["connected"] is True, connected
        assert connected["data"]["user"]["name"] == ENV["POSTGRES_USER"]
