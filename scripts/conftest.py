"""The fixture that the tests of resource.sh and update.sh share."""

from collections.abc import Iterator

import pytest
from clone import SETUP, Project


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A named project. All tests share it, because it takes a minute to install its packages."""
    project = Project(tmp_path_factory.mktemp("project") / "project")
    project.run(SETUP)
    project.commit()
    yield project
    project.run("sh ./scripts/native.sh down -v", status=None)
