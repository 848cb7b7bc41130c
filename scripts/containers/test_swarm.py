"""Deployment to a Swarm, and its updates while requests go on.

Needs Docker, in no Swarm yet, and ports 80 and 443 free.
UPDATES=3 updates three times; by itself it is once.
"""

import os
from collections.abc import Iterator
from time import sleep

import httpx2
import pytest

from load import Load, any_certificate
from stack import Stack, eventually

NAME = "deployed"
DOMAIN = "localhost"
WEB = f"https://{DOMAIN}"
SECRETS = {
    "SECRET_KEY": "a key that is not the published one",
    "POSTGRES_PASSWORD": "of its own: $1 @/%",
    "FIRST_SUPERUSER_PASSWORD": "a password for tests",
    "FLOWER_BASIC_AUTH": "admin:a-login-for-tests",
    "PGADMIN_DEFAULT_PASSWORD": "a password for tests",
}
SETTINGS = {
    "DOMAIN": DOMAIN,
    "STACK_NAME": NAME,
    "TRAEFIK_TAG": NAME,
    "ACME_EMAIL": "admin@example.com",
    # Never seen by the services, which are given files.
    **dict.fromkeys(SECRETS, "from a file"),
}
FILES = ("-f", "docker-compose.secrets.yml")


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
            secret = f"printf %s '{value}' | docker secret create {NAME}_{name.lower()} -"
            stack.run("sh", "-c", secret)
        stack.run("sh", "./scripts/build.sh", env={"TAG": "update-0"})
        deploy(stack, "update-0")
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


def deploy(stack: Stack, tag: str) -> str:
    return stack.run("sh", "./scripts/deploy.sh", *FILES, env={"TAG": tag})


def build_upon(stack: Stack, base: str, tag: str, backend: str) -> None:
    """Make the three images of a tag; what the backend's differs in is given."""
    changes = {"backend": backend, "celeryworker": f"LABEL update={tag}", "frontend": f"LABEL update={tag}"}
    for image, change in changes.items():
        name = f"{NAME}-{image}"
        stack.run("sh", "-c", f"printf 'FROM {name}:{base}\\n{change}\\n' | docker build --tag {name}:{tag} -")


def new_version(number: int) -> str:
    return f"USER root\\nRUN sed -i s/0.1.0/0.1.{number}/ /app/app/__init__.py\\nUSER 10001"


def load() -> Load:
    return Load(WEB, "admin@example.com", SECRETS["FIRST_SUPERUSER_PASSWORD"])


def assert_nothing_lost(load: Load) -> None:
    assert load.failures == []
    assert min(load.answers[method] for method in ("GET", "POST", "PUT", "DELETE", "OPTIONS")) > 100
    assert load.stored() >= load.kept
    print(dict(load.answers))


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
    assert httpx2.get(f"http://{DOMAIN}/login").headers["Location"] == f"{WEB}/login"
    eventually(lambda: "/login" in get(f"pgadmin.{DOMAIN}").headers.get("Location", ""))
    eventually(lambda: get(f"flower.{DOMAIN}").status_code == 401)
    name, _, password = SECRETS["FLOWER_BASIC_AUTH"].partition(":")
    assert get(f"flower.{DOMAIN}", auth=(name, password)).status_code == 200
    assert get("another.example.com").status_code == 404
    assert "<title>FastAPI template</title>" in get(DOMAIN).text


def test_two_backends_started_at_once_have_migrated_once(stack: Stack) -> None:
    tasks = stack.run("docker", "ps", "--quiet", "--filter", f"name={NAME}_backend").split()
    assert len(tasks) == 2
    logs = "".join(stack.run("docker", "logs", task) for task in tasks)
    assert logs.count("Running upgrade  -> d4867f3a4c0a") == 1
    assert logs.count("Application startup complete") >= 2


def test_the_services_run_without_rights(stack: Stack) -> None:
    for service, user in {"backend": "app", "celeryworker": "app", "flower": "app", "frontend": "nginx"}.items():
        (task, *_) = stack.run("docker", "ps", "--quiet", "--filter", f"name={NAME}_{service}").split()
        assert stack.run("docker", "exec", task, "whoami") == f"{user}\n"
        assert "Read-only file system" in stack.outcome("docker", "exec", task, "touch", "/x")[1]


def test_no_secret_is_in_a_variable(stack: Stack) -> None:
    tasks = stack.run("docker", "ps", "--quiet", "--filter", f"name={NAME}_").split()
    assert len(tasks) >= 8
    for task in tasks:
        variables = stack.run("docker", "inspect", "--format", "{{.Config.Env}}", task)
        assert not [value for value in SECRETS.values() if value in variables]


def test_the_clients_address_comes_through_two_proxies_and_no_forged_one(stack: Stack) -> None:
    for headers in ({}, {"X-Forwarded-For": "6.6.6.6"}):
        get(DOMAIN, "/api/?forged", headers).raise_for_status()
    tasks = stack.run("docker", "ps", "--quiet", "--filter", f"name={NAME}_backend").split()
    logs = "".join(stack.run("docker", "logs", task) for task in tasks)
    lines = [line for line in logs.split("\n") if "/api/?forged" in line]
    assert len(lines) == 2
    gateway = stack.run(
        "docker", "network", "inspect", "docker_gwbridge", "--format", "{{(index .IPAM.Config 0).Gateway}}"
    )
    assert all(f" uvicorn.access: {gateway.strip()}:" in line for line in lines), lines


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


def test_an_update_that_does_not_start_is_rolled_back(stack: Stack) -> None:
    build_upon(stack, "update-0", "broken", 'CMD ["false"]')
    with load() as requests:
        code, output = stack.outcome("sh", "./scripts/deploy.sh", *FILES, env={"TAG": "broken"})
    assert code == 1
    assert f"{NAME}_backend rollback_completed" in output
    assert get(DOMAIN, "/api/").status_code == 200
    assert_nothing_lost(requests)


@pytest.mark.parametrize("name", ["DOMAIN", "STACK_NAME", "TRAEFIK_TAG", "TAG", "SECRET_KEY"])
def test_deploying_without_a_setting_names_it(stack: Stack, name: str) -> None:
    code, output = stack.outcome("sh", "./scripts/deploy.sh", env={"TAG": "update-0", name: ""})
    assert code != 0
    assert name in output
    assert "is not set" in output or "set it in .env" in output


def test_the_published_secrets_are_not_deployed(stack: Stack) -> None:
    code, output = stack.outcome("sh", "./scripts/deploy.sh", env={"TAG": "update-0", "SECRET_KEY": "changethis"})
    assert code != 0
    assert "There is still a" in output
