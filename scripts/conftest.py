"""Fixtures for the tests of resource.sh, setup.sh and update.sh."""

from collections.abc import Iterator

import pytest
from clone import Project

# A name with letters outside ASCII, and with characters that need quotes in .env.
NAME = "Müller's & Söhne: Shop #1"


@pytest.fixture(scope="session")
def setup_command() -> str:
    command = f'sh ./scripts/setup.sh --name "{NAME}" --domain Shop.Example.org'
    return f"{command} --email Me+shop@example.net"


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory, setup_command: str) -> Iterator[Project]:
    """A named project. All tests share it, because it takes a minute to install its packages."""
    project = Project(tmp_path_factory.mktemp("project") / "project")
    project.run(setup_command)
    project.commit()
    yield project
    project.run("sh ./scripts/native.sh down -v", status=None)
