"""Deployment to a Swarm, and its updates while requests go on.

Needs Docker, in no Swarm yet, and ports 80 and 443 free.
UPDATES=3 updates three times; by itself it is once.
"""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from functools import partial
from time import sleep

import httpx2
import pytest

from load import Load, any_certificate
from logs_check import find_secrets
from stack import OPEN_CONNECTIONS, ROOT, Stack, eventually, proxy_closes_first

NAME = "deployed"
DOMAIN = "localhost"
WEB = f"https://{DOMAIN}"
CLIENT = "https://client.example.com"
SECRETS = {
    "SECRET_KEY": "a key of 32 bytes that is not the published one",
    "POSTGRES_PASSWORD": "of its own: $1 @/%",
    "POSTGRES_SUPERUSER_PASSWORD": "the superuser's: $1 @/%",
    "REDIS_PASSWORD": """of Redis: $1 @/% ' " \\ #""",
    "FIRST_SUPERUSER_PASSWORD": "a password for tests",
    "FLOWER_BASIC_AUTH": "admin:a-login-for-tests",
    "PGADMIN_DEFAULT_PASSWORD": "a password for tests",
}
SETTINGS = {
    "DOMAIN": DOMAIN,
    "STACK_NAME": NAME,
    "TRAEFIK_TAG": NAME,
    "ACME_EMAIL": "admin@example.com",
}
FILES = ("-f", "docker-compose.secrets.yml")
TOOLS = {"COMPOSE_PROFILES": "tools"}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    stack = Stack(tmp_path_factory.mktemp("containers") / "a stack", SETTINGS)
    stack.run("docker", "swarm", "init", "--advertise-addr", "127.0.0.1")
    try:
        stack.run("docker", "network", "create", "--driver", "overlay", "traefik-public")
        node = stack.run("docker", "node", "ls", "--quiet").strip()
        stack.run("docker", "node", "update", "--label-add", "traefik-public.certificates=true", node)
        public = ("--compose-file", "docker-compose.traefik-public.yml", "traefik-public")
        stack.run("docker", "stack", "deploy", "--detach=false", "--quiet", *public)
        for name, value in SECRETS.items():
            create = ["docker", "secret", "create", f"{NAME}_{name.lower()}", "-"]
            subprocess.run(create, input=value, text=True, check=True, env=stack.env)
        stack.run("sh", "-c", made_secrets())
        with (stack.folder / ".env.production").open("a") as file:
            file.write(f"BACKEND_CORS_ORIGINS={CLIENT}\nOWN_SETTING=canary\n")
        stack.run("sh", "./scripts/build.sh", env={"TAG": "update-0"})
        deploy(stack, "update-0", **TOOLS)
        yield stack
    finally:
        eventually(lambda: has_left(stack), 90)
        # Containers end a moment after the Swarm.
        volumes = [f"{NAME}_app-{kind}-data" for kind in ("db", "redis", "pgadmin")]
        volumes.append("traefik-public_certificates")
        eventually(lambda: stack.outcome("docker", "volume", "rm", "--force", *volumes)[0] == 0, 90)


def has_left(stack: Stack) -> bool:
    stack.outcome("docker", "swarm", "leave", "--force")
    return stack.run("docker", "info", "--format", "{{.Swarm.LocalNodeState}}") == "inactive\n"


def made_secrets() -> str:
    """Return the command of the README that makes .env.production."""
    command = re.search(r"\(set -C; umask 077.*?\n\)", (ROOT / "README.md").read_text(), re.DOTALL)
    assert command
    return command[0]


def production_settings(stack: Stack) -> dict[str, str]:
    return dict(line.split("=", 1) for line in (stack.folder / ".env.production").read_text().splitlines())


def deploy(stack: Stack, tag: str, **env: str) -> str:
    return stack.run("sh", "./scripts/deploy.sh", *FILES, env={"TAG": tag, **env})


def tasks(stack: Stack, service: str = "") -> list[str]:
    return stack.run("docker", "ps", "--quiet", "--filter", f"name={NAME}_{service}").split()


def build_upon(stack: Stack, base: str, tag: str, backend: str) -> None:
    """Make the three images of a tag; what the backend's differs in is given."""
    changes = {"backend": backend, "celeryworker": f"LABEL update={tag}", "frontend": f"LABEL update={tag}"}
    for image, change in changes.items():
        name = f"{NAME}-{image}"
        stack.run("sh", "-c", f"printf 'FROM {name}:{base}\\n{change}\\n' | docker build --tag {name}:{tag} -")


def new_version(number: int) -> str:
    return f"USER root\\nRUN sed -i s/0.1.0/0.1.{number}/ /app/app/__init__.py\\nUSER 10001"


def load() -> Load:
    return Load(WEB, "admin@example.com", SECRETS["FIRST_SUPERUSER_PASSWORD"], CLIENT)


def assert_nothing_lost(load: Load) -> None:
    assert load.failures == []
    assert min(load.sent[method] for method in ("GET", "POST", "PUT", "DELETE", "OPTIONS")) > 100
    assert load.stored() == load.kept
    print(dict(load.sent))


def get(
    host: str, path: str = "/", headers: dict[str, str] | None = None, auth: tuple[str, str] | None = None
) -> httpx2.Response:
    """Ask the public Traefik for a host; the certificate is of Traefik's own making here."""
    return httpx2.get(f"{WEB}{path}", headers={"Host": host, **(headers or {})}, auth=auth, verify=any_certificate())


def test_the_public_addresses(stack: Stack) -> None:
    eventually(lambda: get(DOMAIN, "/login").status_code == 200)
    assert get(DOMAIN, "/api/").json()["version"] == "0.1.0"
    assert '<div id="app">' in get(DOMAIN, "/api-keys").text
    assert get(f"www.{DOMAIN}", "/login?a=1").headers["Location"] == f"{WEB}/login?a=1"
    for path in ("/login", "/docs", "/redoc", "/api-keys", "/.well-known/acme-challenge/x"):
        assert httpx2.get(f"http://{DOMAIN}{path}").headers["Location"] == f"{WEB}{path}"
    eventually(lambda: "/login" in get(f"pgadmin.{DOMAIN}").headers.get("Location", ""))
    eventually(lambda: get(f"flower.{DOMAIN}").status_code == 401)
    name, _, password = SECRETS["FLOWER_BASIC_AUTH"].partition(":")
    assert get(f"flower.{DOMAIN}", auth=(name, password)).status_code == 200
    assert get("another.example.com").status_code == 404
    assert "<title>FastAPI template</title>" in get(DOMAIN).text


def test_proxy_closes_idle_connections_before_the_backend_does(stack: Stack) -> None:
    def request() -> None:
        get(DOMAIN, "/api/").raise_for_status()

    def open_connections() -> int:
        run = ["python", "-c", OPEN_CONNECTIONS]
        return sum(int(stack.run("docker", "exec", task, *run)) for task in tasks(stack, "backend"))

    eventually(lambda: proxy_closes_first(request, open_connections))


@pytest.mark.parametrize("host", [DOMAIN, f"www.{DOMAIN}"])
@pytest.mark.parametrize("path", ["/api", "/api/", "/api/v1/users/me", "/%61pi/v1/users/me", "/api/v1/../v1/users/me"])
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
def test_the_api_is_not_served_without_https(stack: Stack, host: str, path: str, method: str) -> None:
    with httpx2.Client() as client:
        headers = {"Host": host, "Authorization": "Bearer canary"}
        response = client.request(method, "http://localhost", headers=headers, extensions={"target": path.encode()})
    assert response.status_code == 403
    assert "Location" not in response.headers


@pytest.mark.parametrize("origin", ["http://localhost", "https://localhost", "http://localhost:4200", "null"])
def test_the_origins_of_development_are_not_those_of_production(stack: Stack, origin: str) -> None:
    asked = {"Access-Control-Request-Method": "GET"}
    for headers in ({"Origin": origin}, {"Origin": origin, **asked}):
        response = get(DOMAIN, "/api/v1/utils/health/live", headers)
        assert "Access-Control-Allow-Origin" not in response.headers
    allowed = get(DOMAIN, "/api/v1/utils/health/live", {"Origin": CLIENT})
    assert allowed.headers["Access-Control-Allow-Origin"] == CLIENT


def test_services_have_no_capabilities_and_limits(stack: Stack) -> None:
    capabilities = {"pgadmin": 1 << 10, "docker-proxy": 1 << 6}  # NET_BIND_SERVICE, SETGID
    names = stack.run("docker", "stack", "services", NAME, "--format", "{{.Name}}").split()
    assert len(names) >= 9
    for name in names:
        service = name.removeprefix(f"{NAME}_")
        for task in tasks(stack, service):
            allowed = stack.run("docker", "exec", task, "sed", "-n", "s/^CapBnd:\t//p", "/proc/1/status")
            assert int(allowed, 16) == capabilities.get(service, 0), service
        limits = stack.run("docker", "service", "inspect", name, "--format", "{{json .Spec.TaskTemplate.Resources}}")
        assert json.loads(limits)["Limits"]["MemoryBytes"] > 0, service
        assert json.loads(limits)["Limits"]["Pids"] > 0, service


def test_the_networks_of_production(stack: Stack) -> None:
    def reached(service: str) -> set[str]:
        program = "for host in db redis docker-proxy; do getent hosts $host >/dev/null && echo $host; done; true"
        return set(stack.run("docker", "exec", tasks(stack, service)[0], "sh", "-c", program).split())

    assert reached("backend") == reached("celeryworker") == reached("flower") == {"db", "redis"}
    assert reached("frontend") == set()
    assert reached("proxy") == {"docker-proxy"}
    assert stack.run("docker", "network", "inspect", f"{NAME}_data", "--format", "{{.Internal}}") == "true\n"


def test_the_images_have_no_tests(stack: Stack) -> None:
    for image in ("backend", "celeryworker"):
        run = ["docker", "run", "--rm", f"{NAME}-{image}:update-0"]
        named = "-name tests -o -name test_*.py -o -name tests[-_]* -o -name conftest.py"
        tests = stack.run(*run, "find", "/app", *named.split())
        assert tests == ""
        files = stack.run(*run, "ls", "/app").split()
        assert "prestart.sh" in files
        assert "scripts" not in files


def test_a_setting_of_ones_own_arrives(stack: Stack) -> None:
    for service in ("backend", "celeryworker"):
        assert stack.run("docker", "exec", tasks(stack, service)[0], "printenv", "OWN_SETTING") == "canary\n"


def test_two_backends_started_at_once_have_migrated_once(stack: Stack) -> None:
    backends = tasks(stack, "backend")
    assert len(backends) == 2
    logs = "".join(stack.run("docker", "logs", task) for task in backends)
    assert logs.count("Running upgrade  -> ") == 1
    assert logs.count("Application startup complete") >= 2


def test_the_services_run_without_rights(stack: Stack) -> None:
    for service, user in {"backend": "app", "celeryworker": "app", "flower": "app", "frontend": "nginx"}.items():
        task = tasks(stack, service)[0]
        assert stack.run("docker", "exec", task, "whoami") == f"{user}\n"
        assert "Read-only file system" in stack.outcome("docker", "exec", task, "touch", "/x")[1]


def test_no_secret_is_in_a_variable(stack: Stack) -> None:
    assert len(tasks(stack)) >= 9
    for task in tasks(stack):
        variables = stack.run("docker", "inspect", "--format", "{{.Config.Env}}", task)
        assert not [value for value in SECRETS.values() if value in variables]
        made = production_settings(stack)
        assert not [name for name in SECRETS if made[name] in variables]


def test_the_clients_address_comes_through_two_proxies_and_no_forged_one(stack: Stack) -> None:
    for headers in ({}, {"X-Forwarded-For": "6.6.6.6"}):
        get(DOMAIN, "/api/?forged", headers).raise_for_status()
    logs = "".join(stack.run("docker", "logs", task) for task in tasks(stack, "backend"))
    lines = [line for line in logs.split("\n") if "/api/?forged" in line]
    assert len(lines) == 2
    gateway = stack.run(
        "docker", "network", "inspect", "docker_gwbridge", "--format", "{{(index .IPAM.Config 0).Gateway}}"
    )
    assert all(f" uvicorn.access: {gateway.strip()}:" in line for line in lines), lines


def test_no_log_has_a_secret(stack: Stack) -> None:
    made = re.findall(r"[0-9a-f]{64}", (stack.folder / ".env.production").read_text())
    get(DOMAIN, "/api/canary")
    login = {"username": "admin@example.com", "password": SECRETS["FIRST_SUPERUSER_PASSWORD"]}
    httpx2.post(f"{WEB}/api/v1/login/access-token", data=login, verify=any_certificate()).raise_for_status()
    logs = {task: stack.run("docker", "logs", task) for task in tasks(stack)}
    assert any("/api/canary" in log for log in logs.values())
    for log in logs.values():
        assert find_secrets(log, [*SECRETS.values(), *made]) == []
        assert find_secrets(log + made[0], made) != []


def test_updates_lose_no_request(stack: Stack) -> None:
    with load() as requests:
        for number in range(1, 1 + int(os.environ.get("UPDATES", "1"))):
            tag = f"update-{number}"
            build_upon(stack, "update-0", tag, new_version(number))
            deploy(stack, tag)
            assert get(DOMAIN, "/api/").json()["version"] == f"0.1.{number}"
        stack.run("docker", "service", "update", "--force", "--detach=false", f"{NAME}_proxy")
        # The old one goes on for 20 seconds, until every public Traefik knows.
        sleep(22)
    assert_nothing_lost(requests)


def test_pgadmin_and_flower_are_gone_when_they_are_not_asked_for(stack: Stack) -> None:
    # The first deployment had COMPOSE_PROFILES=tools, the update did not.
    names = stack.run("docker", "stack", "services", NAME, "--format", "{{.Name}}").split()
    assert not {f"{NAME}_pgadmin", f"{NAME}_flower"} & set(names)
    assert f"{NAME}_backend" in names
    for host in ("pgadmin", "flower"):
        eventually(partial(is_unknown, f"{host}.{DOMAIN}"))


def is_unknown(host: str) -> bool:
    return get(host).status_code == 404


def test_an_update_that_does_not_start_is_rolled_back(stack: Stack) -> None:
    build_upon(stack, "update-0", "broken", 'CMD ["false"]')
    with load() as requests:
        code, output = stack.outcome("sh", "./scripts/deploy.sh", *FILES, env={"TAG": "broken"})
    assert code == 1
    assert f"{NAME}_backend rollback_completed" in output
    assert get(DOMAIN, "/api/").status_code == 200
    assert_nothing_lost(requests)


@pytest.mark.parametrize("name", ["DOMAIN", "STACK_NAME", "TRAEFIK_TAG", "TAG", "SECRET_KEY", "REDIS_PASSWORD"])
def test_deploying_without_a_setting_names_it(stack: Stack, name: str) -> None:
    code, output = stack.outcome("sh", "./scripts/deploy.sh", env={"TAG": "update-0", name: ""})
    assert code != 0
    assert name in output
    assert "is not set" in output or "set it in .env" in output


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Stack:
    """A copy of the project that has deployed nothing yet."""
    settings = {**SETTINGS, "STACK_NAME": "rejected", "TAG": "1"}
    return Stack(tmp_path_factory.mktemp("containers") / "another stack", settings)


@pytest.fixture
def folder(copy: Stack) -> Stack:
    (copy.folder / ".env.production").unlink(missing_ok=True)
    copy.run("sh", "-c", made_secrets())
    return copy


def rejection(folder: Stack, **env: str) -> str:
    code, output = folder.outcome("sh", "./scripts/deploy.sh", env=env)
    assert code == 1, output
    # Nothing has changed.
    assert "rejected" not in folder.run("docker", "stack", "ls")
    assert "rejected" not in folder.run("docker", "node", "inspect", "self")
    return output


PUBLISHED = ["SECRET_KEY", "POSTGRES_PASSWORD", "POSTGRES_SUPERUSER_PASSWORD", "REDIS_PASSWORD"]


@pytest.mark.parametrize("name", [*PUBLISHED, "FIRST_SUPERUSER_PASSWORD"])
def test_a_published_secret_is_rejected_by_name(stack: Stack, folder: Stack, name: str) -> None:
    output = rejection(folder, **{name: "changethis"})
    assert re.findall(r"[A-Z_]{6,}", output) == [name]
    # The same in the file.
    folder.replace(".env.production", rf"^{name}=.*$", f"{name}=changethis")
    assert re.findall(r"[A-Z_]{6,}", rejection(folder)) == [name]


def test_a_published_value_of_an_own_setting_is_rejected(stack: Stack, folder: Stack) -> None:
    with (folder.folder / ".env.production").open("a") as file:
        file.write("S3_KEY_1=changethis\n")
    assert ": S3_KEY_1. " in rejection(folder)


def test_published_logins_of_the_tools_are_rejected_where_they_are_used(stack: Stack, folder: Stack) -> None:
    logins = {"PGADMIN_DEFAULT_PASSWORD": "changethis", "FLOWER_BASIC_AUTH": "someone:changethis"}
    assert set(re.findall(r"[A-Z_]{6,}", rejection(folder, **TOOLS, **logins))) == set(logins)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660, 0o601])
def test_secrets_that_others_can_read_are_rejected(stack: Stack, folder: Stack, mode: int) -> None:
    (folder.folder / ".env.production").chmod(mode)
    assert "chmod 600 .env.production" in rejection(folder)


def test_without_secrets_of_ones_own_nothing_is_deployed(stack: Stack, folder: Stack) -> None:
    (folder.folder / ".env.production").unlink()
    assert set(re.findall(r"[A-Z_]{6,}", rejection(folder))) >= {*PUBLISHED, "FIRST_SUPERUSER_PASSWORD"}


def test_production_has_no_other_origins_by_default(stack: Stack, folder: Stack) -> None:
    def origins(**env: str) -> str:
        # The files are put together before they are rejected.
        rejection(folder, SECRET_KEY="changethis", **env)
        backend = (folder.folder / "docker-stack.yml").read_text().partition("\n  backend:\n")[2]
        return str(re.findall(r"BACKEND_CORS_ORIGINS: (.*)", backend)[0])

    assert origins() == '""'
    assert origins(BACKEND_CORS_ORIGINS=CLIENT) == CLIENT
    with (folder.folder / ".env.production").open("a") as file:
        file.write(f"BACKEND_CORS_ORIGINS={CLIENT}:8443\n")
    assert origins() == f"{CLIENT}:8443"


def test_the_secrets_are_ignored_by_git_and_made_once(folder: Stack) -> None:
    path = folder.folder / ".env.production"
    made = path.read_text()
    values = production_settings(folder)
    assert path.stat().st_mode & 0o777 == 0o600
    assert values.keys() >= SECRETS.keys()
    assert len(set(values.values())) == len(values)
    assert "changethis" not in made
    assert folder.outcome("sh", "-c", made_secrets())[0] != 0
    assert path.read_text() == made
    assert shutil.which("git")
    ignored = ["git", "-C", str(ROOT), "check-ignore", ".env.production"]
    assert folder.run(*ignored) == ".env.production\n"
