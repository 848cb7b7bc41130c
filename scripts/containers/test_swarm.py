"""Deployment to a Swarm, and updates under load.

Needs a Docker that is not part of a Swarm, and ports 80 and 443. UPDATES=3 updates three times instead of once.
"""

import json
import os
import re
import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from time import sleep

import httpx2
import pytest

from docs import blocks
from load import Load, any_certificate
from logs_check import find_secrets
from stack import OPEN_CONNECTIONS, ROOT, Stack, eventually, proxy_closes_first

NAME = "deployed"
TITLE = "Deployed project"
ADMIN = "admin@example.com"
DOMAIN = "localhost"
WEB = f"https://{DOMAIN}"
CLIENT = "https://client.example.com"
SECRETS = {
    "SECRET_KEY": "a key of 32 bytes that is not the published one",
    "POSTGRES_PASSWORD": "password of app: $1 @/%",
    "POSTGRES_SUPERUSER_PASSWORD": "superuser's password: $1 @/%",
    "REDIS_PASSWORD": """password of Redis: $1 @/% ' " \\ #""",
    "FIRST_SUPERUSER_PASSWORD": "a password for tests",
    "FLOWER_BASIC_AUTH": "admin:a-login-for-tests",
    "PGADMIN_DEFAULT_PASSWORD": "a password for tests",
}
SETTINGS = {
    "DOMAIN": DOMAIN,
    "STACK_NAME": NAME,
    "TRAEFIK_TAG": NAME,
    "ACME_EMAIL": ADMIN,
}
FILES = ("-f", "docker-compose.secrets.yml")
TOOLS = {"COMPOSE_PROFILES": "tools"}
OWN_SETTING = r"""$1 $$ ${HOME} @/% " \ #"""
# Shell variables with the names of the secrets, as in a pipeline. No container may get these values.
IN_SHELL = {name: f"in the shell: {name}" for name in SECRETS}
# The documentation's commands, in order.
DOCUMENTED = blocks("swarm")
PREPARE, MAKE_SECRETS, DEPLOY, MAKE_DOCKER_SECRETS = [
    block.text for block in DOCUMENTED if block.page == "docs/deployment.md"
]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    stack = Stack(tmp_path_factory.mktemp("containers") / "a stack", SETTINGS)
    try:
        shell(stack, PREPARE)
        for name, value in SECRETS.items():
            shell(stack, f'printf %s "$VALUE" | docker secret create {NAME}_{name.lower()} -', VALUE=value)
        name_project(stack)
        shell(stack, MAKE_SECRETS)
        with (stack.folder / ".env.production").open("a") as file:
            file.write(f"BACKEND_CORS_ORIGINS={CLIENT}\nOWN_SETTING='{OWN_SETTING}'\n")
        # A Swarm with a single node needs no registry.
        command = DEPLOY.replace("build-push.sh", "build.sh").replace(
            "deploy.sh", "deploy.sh -f docker-compose.secrets.yml"
        )
        names = f"DOMAIN={DOMAIN} STACK_NAME={NAME} TRAEFIK_TAG={NAME}"
        command = re.sub(r"DOMAIN=\S+ STACK_NAME=\S+ TRAEFIK_TAG=\S+", names, command)
        shell(stack, command.replace("TAG=1", "TAG=update-0"), **TOOLS, **IN_SHELL)
        yield stack
    finally:
        eventually(lambda: has_left(stack), 90)
        # The containers still use the volumes for a moment after the node has left the Swarm.
        volumes = [f"{NAME}_app-{kind}-data" for kind in ("db", "redis", "pgadmin")]
        volumes.append(f"{NAME}_app-files")
        volumes.append("traefik-public_certificates")
        eventually(lambda: stack.outcome("docker", "volume", "rm", "--force", *volumes)[0] == 0, 90)


def has_left(stack: Stack) -> bool:
    stack.outcome("docker", "swarm", "leave", "--force")
    return stack.run("docker", "info", "--format", "{{.Swarm.LocalNodeState}}") == "inactive\n"


def shell(stack: Stack, commands: str, **env: str) -> str:
    return stack.run("sh", "-euc", commands, env=env)


def name_project(stack: Stack) -> None:
    names = ["--name", TITLE, "--domain", "deployed.example.com", "--email", ADMIN]
    stack.run("sh", "./scripts/setup.sh", *names)
    # The documented command makes this file.
    (stack.folder / ".env.production").unlink()


def test_other_pages_have_the_same_commands() -> None:
    (deploy,) = [block.text for block in DOCUMENTED if block.page == "docs/make-it-yours.md"]
    assert deploy == DEPLOY


def production_settings(stack: Stack) -> dict[str, str]:
    return dict(line.split("=", 1) for line in (stack.folder / ".env.production").read_text().splitlines())


def deploy(stack: Stack, tag: str, **env: str) -> str:
    return stack.run("sh", "./scripts/deploy.sh", *FILES, env={"TAG": tag, **env})


def tasks(stack: Stack, service: str = "", *options: str) -> list[str]:
    return stack.run("docker", "ps", "--quiet", "--filter", f"name={NAME}_{service}", *options).split()


def build_upon(stack: Stack, base: str, tag: str, backend: str) -> None:
    """Build the images of a tag from those of the tag `base`. `backend` is added to the backend's Dockerfile."""
    changes = {"backend": backend, "celeryworker": f"LABEL update={tag}", "frontend": f"LABEL update={tag}"}
    for image, change in changes.items():
        name = f"{NAME}-{image}"
        stack.run("sh", "-c", f"printf 'FROM {name}:{base}\\n{change}\\n' | docker build --tag {name}:{tag} -")


def new_version(number: int) -> str:
    return f"USER root\\nRUN sed -i s/0.1.0/0.1.{number}/ /app/app/__init__.py\\nUSER 10001"


def load() -> Load:
    return Load(WEB, ADMIN, SECRETS["FIRST_SUPERUSER_PASSWORD"], CLIENT)


def assert_nothing_lost(load: Load) -> None:
    assert load.failures == []
    assert min(load.sent[method] for method in ("GET", "POST", "PUT", "DELETE", "OPTIONS")) > 100
    assert load.stored() == load.kept
    print(dict(load.sent))


def get(
    host: str, path: str = "/", headers: dict[str, str] | None = None, auth: tuple[str, str] | None = None
) -> httpx2.Response:
    """Send a request to the public Traefik, which has a self-signed certificate here."""
    return httpx2.get(f"{WEB}{path}", headers={"Host": host, **(headers or {})}, auth=auth, verify=any_certificate())


def test_public_traefik_routes_and_redirects(stack: Stack) -> None:
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
    assert f"<title>{TITLE}</title>" in get(DOMAIN).text
    for path in ("/login", "/api/", "/docs"):
        assert get(DOMAIN, path).headers["Strict-Transport-Security"] == "max-age=31536000"


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
def test_api_requires_https(stack: Stack, host: str, path: str, method: str) -> None:
    with httpx2.Client() as client:
        headers = {"Host": host, "Authorization": "Bearer canary"}
        response = client.request(method, "http://localhost", headers=headers, extensions={"target": path.encode()})
    assert response.status_code == 403
    assert "Location" not in response.headers


@pytest.mark.parametrize("origin", ["http://localhost", "https://localhost", "http://localhost:4200", "null"])
def test_development_origins_are_not_allowed(stack: Stack, origin: str) -> None:
    asked = {"Access-Control-Request-Method": "GET"}
    for headers in ({"Origin": origin}, {"Origin": origin, **asked}):
        response = get(DOMAIN, "/api/v1/utils/health/live", headers)
        assert "Access-Control-Allow-Origin" not in response.headers
    allowed = get(DOMAIN, "/api/v1/utils/health/live", {"Origin": CLIENT})
    assert allowed.headers["Access-Control-Allow-Origin"] == CLIENT


def test_services_have_limits_and_no_capabilities(stack: Stack) -> None:
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


def test_services_reach_only_their_networks(stack: Stack) -> None:
    def reached(service: str) -> set[str]:
        program = "for host in db redis docker-proxy; do getent hosts $host >/dev/null && echo $host; done; true"
        return set(stack.run("docker", "exec", tasks(stack, service)[0], "sh", "-c", program).split())

    for service in ("backend", "celeryworker", "celerybeat", "flower"):
        assert reached(service) == {"db", "redis"}, service
    assert reached("frontend") == set()
    assert reached("proxy") == {"docker-proxy"}
    assert stack.run("docker", "network", "inspect", f"{NAME}_data", "--format", "{{.Internal}}") == "true\n"


def test_images_contain_no_tests(stack: Stack) -> None:
    for image in ("backend", "celeryworker"):
        run = ["docker", "run", "--rm", f"{NAME}-{image}:update-0"]
        named = "-name tests -o -name test_*.py -o -name tests[-_]* -o -name conftest.py"
        tests = stack.run(*run, "find", "/app", *named.split())
        assert tests == ""
        files = stack.run(*run, "ls", "/app").split()
        assert "prestart.sh" in files
        assert "scripts" not in files


def test_additional_settings_are_passed_unchanged(stack: Stack) -> None:
    for service in ("backend", "celeryworker", "celerybeat"):
        assert stack.run("docker", "exec", tasks(stack, service)[0], "printenv", "OWN_SETTING") == f"{OWN_SETTING}\n"


def test_concurrent_backends_migrate_once(stack: Stack) -> None:
    backends = tasks(stack, "backend")
    assert len(backends) == 2
    # On a busy machine, Swarm may have replaced a backend.
    logs = "".join(stack.run("docker", "logs", task) for task in tasks(stack, "backend", "--all"))
    assert logs.count("Running upgrade  -> ") == 1
    assert logs.count("Application startup complete") >= 2


def test_services_run_unprivileged_and_read_only(stack: Stack) -> None:
    users = dict.fromkeys(("backend", "celeryworker", "celerybeat", "flower"), "app") | {"frontend": "nginx"}
    for service, user in users.items():
        task = tasks(stack, service)[0]
        assert stack.run("docker", "exec", task, "whoami") == f"{user}\n"
        assert "Read-only file system" in stack.outcome("docker", "exec", task, "touch", "/x")[1]


def test_no_environment_variable_contains_a_secret(stack: Stack) -> None:
    assert len(tasks(stack)) >= 9
    for task in tasks(stack):
        variables = stack.run("docker", "inspect", "--format", "{{.Config.Env}}", task)
        assert not [value for value in SECRETS.values() if value in variables]
        made = production_settings(stack)
        assert not [name for name in SECRETS if made[name] in variables or IN_SHELL[name] in variables]


def test_backend_and_worker_share_the_file_store(stack: Stack) -> None:
    """The containers are read-only and run as an ordinary user, to which the volume must belong."""
    write = "from app.core import files\nwith files.writer('test/1') as file: file.write(b'shared')"
    read = "from app.core import files; print(files.read('test/1').read())"
    backend, worker = tasks(stack, "backend")[0], tasks(stack, "celeryworker")[0]
    stack.run("docker", "exec", backend, "python", "-c", write)
    assert stack.run("docker", "exec", worker, "python", "-c", read) == "b'shared'\n"


def test_backend_logs_the_real_client_address(stack: Stack) -> None:
    for headers in ({}, {"X-Forwarded-For": "6.6.6.6"}):
        get(DOMAIN, "/api/?forged", headers).raise_for_status()
    logs = "".join(stack.run("docker", "logs", task) for task in tasks(stack, "backend"))
    lines = [line for line in logs.split("\n") if "/api/?forged" in line]
    assert len(lines) == 2
    gateway = stack.run(
        "docker", "network", "inspect", "docker_gwbridge", "--format", "{{(index .IPAM.Config 0).Gateway}}"
    )
    assert all(f" uvicorn.access: {gateway.strip()}:" in line for line in lines), lines


def test_no_log_contains_a_secret(stack: Stack) -> None:
    made = re.findall(r"[0-9a-f]{64}", (stack.folder / ".env.production").read_text())
    get(DOMAIN, "/api/canary")
    login = {"username": ADMIN, "password": SECRETS["FIRST_SUPERUSER_PASSWORD"]}
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
        # The old proxy keeps serving for 20 seconds, so that every public Traefik can switch to the new one.
        sleep(22)
    assert_nothing_lost(requests)


def test_tools_are_removed_without_their_profile(stack: Stack) -> None:
    # The first deployment had COMPOSE_PROFILES=tools, the update did not.
    names = stack.run("docker", "stack", "services", NAME, "--format", "{{.Name}}").split()
    assert not {f"{NAME}_pgadmin", f"{NAME}_flower"} & set(names)
    assert f"{NAME}_backend" in names
    for host in ("pgadmin", "flower"):
        eventually(partial(is_unknown, f"{host}.{DOMAIN}"))


def is_unknown(host: str) -> bool:
    return get(host).status_code == 404


def test_failed_update_is_rolled_back(stack: Stack) -> None:
    build_upon(stack, "update-0", "broken", 'CMD ["false"]')
    with load() as requests:
        code, output = stack.outcome("sh", "./scripts/deploy.sh", *FILES, env={"TAG": "broken"})
    assert code == 1
    assert f"{NAME}_backend rollback_completed" in output
    assert get(DOMAIN, "/api/").status_code == 200
    assert_nothing_lost(requests)


@pytest.mark.parametrize("name", ["DOMAIN", "STACK_NAME", "TRAEFIK_TAG", "TAG", "SECRET_KEY", "REDIS_PASSWORD"])
def test_missing_setting_is_named(stack: Stack, name: str) -> None:
    code, output = stack.outcome("sh", "./scripts/deploy.sh", env={"TAG": "update-0", name: ""})
    assert code != 0
    assert name in output
    assert "is not set" in output or "set it in .env" in output


def test_documented_command_creates_the_docker_secrets(stack: Stack, folder: Stack) -> None:
    shell(folder, MAKE_DOCKER_SECRETS, STACK_NAME="documented")
    names = [f"documented_{name.lower()}" for name in SECRETS]
    # Fails if one does not exist.
    shell(folder, f"docker secret rm {' '.join(names)}")


def test_deploy_reports_missing_jq(stack: Stack, tmp_path: Path) -> None:
    for program in ("sh", "dirname", "docker", "sed", "awk"):
        (tmp_path / program).symlink_to(shutil.which(program) or "")
    code, output = stack.outcome("sh", "./scripts/deploy.sh", env={"TAG": "1", "PATH": str(tmp_path)})
    assert code == 1
    assert output == 'deploy.sh needs jq: install it, for example with "apt-get install jq".\n'


OWN_SERVICE = """
services:
  own:
    image: nginx:1.30
    ports: ["8081:80", {target: 81, published: 8082, mode: host}]
    stop_grace_period: 1m30s
    deploy:
      resources:
        limits: {cpus: "0.5", memory: 100m}
        reservations: {cpus: 0.25}
"""


def test_own_service_may_publish_ports_and_limit_cpus(stack: Stack, folder: Stack) -> None:
    (folder.folder / "own.yml").write_text(OWN_SERVICE)
    # deploy.sh writes docker-stack.yml before it rejects the secret.
    folder.outcome("sh", "./scripts/deploy.sh", "-f", "own.yml", env={"SECRET_KEY": "changethis"})
    accepted = folder.run("docker", "stack", "config", "--compose-file", "docker-stack.yml")
    own = accepted.partition("\n  own:\n")[2].partition("\n  proxy:\n")[0]
    assert re.findall(r"cpus: (.*)", own) == ['"0.5"', '"0.25"']
    assert re.findall(r"published: (.*)", own) == ["8081", "8082"]
    assert "stop_grace_period: 1m30s" in own


def test_only_the_owner_can_read_the_stack_file(stack: Stack, folder: Stack) -> None:
    path = folder.folder / "docker-stack.yml"
    for former in ("", "readable to all"):
        path.write_text(former)
        path.chmod(0o666)
        rejection(folder, SECRET_KEY="changethis")
        assert path.stat().st_mode & 0o777 == 0o600


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Stack:
    """A copy of the project, from which nothing has been deployed."""
    settings = {**SETTINGS, "STACK_NAME": "rejected", "TAG": "1"}
    stack = Stack(tmp_path_factory.mktemp("containers") / "another stack", settings)
    name_project(stack)
    return stack


@pytest.fixture
def folder(copy: Stack) -> Stack:
    (copy.folder / ".env.production").unlink(missing_ok=True)
    shell(copy, MAKE_SECRETS)
    return copy


def rejection(folder: Stack, **env: str) -> str:
    code, output = folder.outcome("sh", "./scripts/deploy.sh", env=env)
    assert code == 1, output
    # Nothing was deployed.
    assert "rejected" not in folder.run("docker", "stack", "ls")
    assert "rejected" not in folder.run("docker", "node", "inspect", "self")
    return output


PUBLISHED = ["SECRET_KEY", "POSTGRES_PASSWORD", "POSTGRES_SUPERUSER_PASSWORD", "REDIS_PASSWORD"]


@pytest.mark.parametrize("name", [*PUBLISHED, "FIRST_SUPERUSER_PASSWORD"])
def test_published_secret_is_rejected_by_name(stack: Stack, folder: Stack, name: str) -> None:
    output = rejection(folder, **{name: "changethis"})
    assert re.findall(r"[A-Z_]{6,}", output) == [name]
    folder.replace(".env.production", rf"^{name}=.*$", f"{name}=changethis")
    assert re.findall(r"[A-Z_]{6,}", rejection(folder)) == [name]


def test_published_value_of_additional_setting_is_rejected(stack: Stack, folder: Stack) -> None:
    with (folder.folder / ".env.production").open("a") as file:
        file.write("S3_KEY_1=changethis\n")
    assert ": S3_KEY_1. " in rejection(folder)


def test_published_logins_of_deployed_tools_are_rejected(stack: Stack, folder: Stack) -> None:
    logins = {"PGADMIN_DEFAULT_PASSWORD": "changethis", "FLOWER_BASIC_AUTH": "someone:changethis"}
    assert set(re.findall(r"[A-Z_]{6,}", rejection(folder, **TOOLS, **logins))) == set(logins)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660, 0o601])
def test_secrets_file_must_be_private(stack: Stack, folder: Stack, mode: int) -> None:
    (folder.folder / ".env.production").chmod(mode)
    assert "chmod 600 .env.production" in rejection(folder)


def test_deployment_without_secrets_is_rejected(stack: Stack, folder: Stack) -> None:
    (folder.folder / ".env.production").unlink()
    assert set(re.findall(r"[A-Z_]{6,}", rejection(folder))) >= {*PUBLISHED, "FIRST_SUPERUSER_PASSWORD"}


def test_production_allows_no_origins_by_default(stack: Stack, folder: Stack) -> None:
    def origins(**env: str) -> str:
        # deploy.sh writes docker-stack.yml before it rejects the secret.
        rejection(folder, SECRET_KEY="changethis", **env)
        stack_file = json.loads((folder.folder / "docker-stack.yml").read_text())
        return str(stack_file["services"]["backend"]["environment"]["BACKEND_CORS_ORIGINS"])

    assert origins() == ""
    assert origins(BACKEND_CORS_ORIGINS=CLIENT) == CLIENT
    with (folder.folder / ".env.production").open("a") as file:
        file.write(f"BACKEND_CORS_ORIGINS={CLIENT}:8443\n")
    assert origins() == f"{CLIENT}:8443"


def test_secrets_file_is_created_once_and_ignored_by_git(folder: Stack) -> None:
    path = folder.folder / ".env.production"
    made = path.read_text()
    values = production_settings(folder)
    assert path.stat().st_mode & 0o777 == 0o600
    assert values.keys() >= SECRETS.keys()
    assert len(set(values.values())) == len(values)
    assert "changethis" not in made
    assert "Nothing to change." in shell(folder, MAKE_SECRETS)
    assert path.read_text() == made
    assert shutil.which("git")
    ignored = ["git", "-C", str(ROOT), "check-ignore", ".env.production"]
    assert folder.run(*ignored) == ".env.production\n"
