"""Runs commands in a clone of the project."""

import os
import re
import subprocess
from pathlib import Path

import definition
from settings import ROOT

# A name with letters outside ASCII, and with characters that need quotes in .env.
NAME = "Müller's & Söhne: Shop #1"
SETUP = f'sh ./scripts/setup.sh --name "{NAME}" --domain Shop.Example.org --email Me+shop@example.net'

# The shared tests that see the resources of a project.
SHARED = " ".join(
    f"app/tests/{each}"
    for each in (
        "api/test_access.py",
        "api/test_openapi.py",
        "api/test_request_path.py",
        "api/test_routing.py",
        "crud",
        "db",
        "test_completeness.py",
        "test_seed.py",
    )
)


class Clone:
    """A clone in a folder."""

    def __init__(self, folder: Path, source: Path = ROOT) -> None:
        self.folder = folder
        subprocess.run(["git", "clone", "--quiet", source, folder], check=True)
        self.run("git config user.name Test && git config user.email test@example.com")

    def run(self, script: str, *, status: int | None = 0, stdin: str = "") -> str:
        """Return the output of a shell script, and check its status, unless that is None."""
        env = {name: value for name, value in os.environ.items() if not name.startswith(("VIRTUAL_ENV", "PYTEST"))}
        done = subprocess.run(
            ["sh", "-ec", script],
            cwd=self.folder,
            env=env,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )
        output = done.stdout + done.stderr
        print(f"$ {script}\n{output}")
        assert status is None or done.returncode == status, output[-3000:]
        return output

    def commit(self) -> None:
        self.run("git add --all && git commit --quiet --allow-empty --message Change")

    def read(self, path: str) -> str:
        return (self.folder / path).read_text()

    def edit(self, path: str, old: str, new: str) -> None:
        text = self.read(path)
        assert old in text, text
        (self.folder / path).write_text(text.replace(old, new))


class Project(Clone):
    """A clone whose stack and tests can run."""

    def test_backend(self, arguments: str = "", *, status: int = 0) -> str:
        return self.run(f"sh ./scripts/native.sh test backend {arguments}", status=status)

    def up(self) -> None:
        """Start the stack without pgAdmin, which takes a minute to install itself, and which no test needs."""
        self.run("sh ./scripts/native.sh up -d")
        self.run("sh ./scripts/native.sh stop pgadmin")

    def check(self) -> None:
        """Run the backend's tests that see the resources, and every lint."""
        tests = "app/tests/api/api_v1"
        resources = " ".join(f"{tests}/test_{each.plural}.py" for each in definition.read_all(self.folder).values())
        self.test_backend(f"{SHARED} {tests}/test_csv_files.py {tests}/test_dashboard.py {resources}")
        # Both at the same time, because each mostly uses one core.
        lint = "sh ./scripts/native.sh exec backend ./scripts/lint.sh"
        self.run(f"{lint} & backend=$!; sh ./scripts/native.sh exec frontend npm run lint; wait $backend")
        self.run("sh ./scripts/native.sh exec backend alembic check")

    def shared_tests(self) -> set[str]:
        """Return the ids of the tests that belong to no resource.

        Shared tests with a parameter for each endpoint belong to the resource of the endpoint.
        """
        output = self.test_backend("-n 0 --collect-only --quiet")
        ids = set(re.findall(r"^app/tests/\S+::.+$", output, re.MULTILINE))
        resources = definition.read_all(self.folder).values()
        names = "|".join(name for each in resources for name in (each.name, each.plural))
        paths = "|".join(each.path for each in resources)
        own = re.compile(rf"test_({names})\.py|/api/v1/({paths})/|\[({paths})\]$|_({names})\]$")
        return {each for each in ids if not own.search(each)}
