"""update.sh, on projects of a made-up version 9.0.0 of the template, and its successor 9.1.0."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator

import pytest

import names
import refresh
from clone import Clone, Project

ENDPOINTS = "backend/app/app/api/api_v1/endpoints"
USER = "backend/app/app/models/user.py"
FORM_CARD = "frontend/src/components/FormCard.vue"
LIST = "frontend/src/views/main/items/Items.vue"
POETRY_LOCK = "backend/app/poetry.lock"
NPM_LOCK = "frontend/package-lock.json"
VERSIONS = "backend/app/alembic/versions"
UPDATE = "sh ./scripts/update.sh"

REVISION = '''"""Add nickname to user

Revision ID: 0123456789ab
Revises: {head}
Create Date: 2026-01-01 00:00:00.000000
"""

from collections.abc import Sequence

import sqlalchemy as sa

from alembic import op

revision: str = "0123456789ab"
down_revision: str | Sequence[str] | None = "{head}"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("user", sa.Column("nickname", sa.String(length=80), nullable=True))


def downgrade() -> None:
    op.drop_column("user", "nickname")
'''


def add_packages(clone: Clone, python: str, npm: str) -> None:
    clone.edit("backend/app/pyproject.toml", '    "tenacity', f'    "{python}",\n    "tenacity')
    clone.edit("frontend/package.json", '"dependencies": {', f'"dependencies": {{\n    "{npm}": "*",')
    for path in (POETRY_LOCK, NPM_LOCK):
        refresh.lock(clone.folder / path)


def newest_revision(clone: Clone) -> str:
    texts = [file.read_text() for file in (clone.folder / VERSIONS).glob("*.py")]
    ids = {match[1] for text in texts if (match := re.search(r'^revision: str = "(\w+)"', text, re.MULTILINE))}
    (head,) = ids - {each for text in texts for each in re.findall(r'^down_revision: .* = "(\w+)"', text, re.MULTILINE)}
    return head


@pytest.fixture(scope="module")
def index() -> Iterator[None]:
    """Poetry reads the simple index, like pip: a mirror may have nothing else."""
    program = "from pip._internal.models.index import PyPI; print(PyPI.simple_url)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("POETRY_PYPI_MIRROR_URL", done.stdout.strip())
        yield


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory, index: None) -> Clone:
    """The template with versions 9.0.0 and 9.1.0."""
    clone = Clone(tmp_path_factory.mktemp("template") / "template")
    current, _ = names.read(clone.folder)
    record = {key: value for key, value in json.loads(names.record(current, {})).items() if key != "template"}
    (clone.folder / names.RECORD).write_text(json.dumps(record))
    (clone.folder / "VERSION").write_text("9.0.0\n")
    clone.commit()
    clone.run("git tag v9.0.0")

    # An endpoint, a column, a component, and the generator's template with the file that is made from it.
    clone.edit(f"{ENDPOINTS}/utils.py", "Enqueue a test task for the worker.", "Enqueue a task that returns a text.")
    full_name = "    full_name: Mapped[str | None] = mapped_column(String(255))\n"
    nickname = "    nickname: Mapped[str | None] = mapped_column(String(80))\n"
    clone.edit(USER, full_name, full_name + nickname)
    (clone.folder / VERSIONS / "0123456789ab_add_nickname.py").write_text(REVISION.format(head=newest_revision(clone)))
    clone.edit(FORM_CARD, "const form = useTemplateRef", "// The form of Vuetify.\nconst form = useTemplateRef")
    router = 'router = APIRouter(prefix="/{0}"'
    generator = "scripts/resource/templates/backend/endpoints.py.jinja"
    clone.edit(generator, router.format("«path»"), f"# Endpoints of «plural_words».\n{router.format('«path»')}")
    clone.edit(f"{ENDPOINTS}/items.py", router.format("items"), f"# Endpoints of items.\n{router.format('items')}")
    # Files of Item, files with the project's names, and a file that the project has changed.
    clone.edit(LIST, "<script", "<!-- Of the template -->\n<script")
    clone.edit("README.md", "A starting point", "A good starting point")
    clone.edit(".env", "\nSECRET_KEY=", "\n# A comment of the template.\nSECRET_KEY=")
    clone.edit("docs/backend.md", "# Backend\n", "# The backend\n")
    changelog = clone.read("CHANGELOG.md")
    notes = "# Changelog\n\n## 9.1.0\n\n### Upgrade\n\n- Tell your users.\n\n### Fixed\n\n- A fault.\n"
    (clone.folder / "CHANGELOG.md").write_text(changelog.replace("# Changelog\n", f"{notes}\n## 9.0.0\n", 1))
    add_packages(clone, "humanize (>=4)", "is-odd")
    (clone.folder / "VERSION").write_text("9.1.0\n")
    clone.commit()
    return clone


def start(project: Project, template: Clone) -> None:
    """Make the project a clone of version 9.0.0 again. Only its installed packages remain."""
    project.run("sh ./scripts/native.sh down -v", status=None)
    project.run(f"rm -rf .git && git init --quiet && git remote add origin {template.folder}")
    project.run("git fetch --quiet origin tag v9.0.0 && git reset --quiet --hard v9.0.0 && git clean --quiet -fd")
    project.run("git config user.name Test && git config user.email test@example.com")


@pytest.fixture
def named(project: Project, template: Clone, setup_command: str) -> Project:
    start(project, template)
    project.run(setup_command)
    project.commit()
    return project


def test_changed_project_is_updated(named: Project) -> None:
    """Item was removed, a resource generated, packages added, and the checks pass."""
    project = named
    project.run("sh ./scripts/resource.sh customer name:str:255:required due_on:date")
    project.commit()
    project.run("sh ./scripts/remove-resource.sh item")
    project.commit()
    add_packages(project, "tabulate (>=0.9)", "is-even")
    project.edit("docs/backend.md", "\n## ", "\nA sentence of the project.\n\n## ")
    project.edit(f"{ENDPOINTS}/customers.py", "def create_customer(", "# Mine\ndef create_customer(")
    (project.folder / "CHANGELOG.md").write_text("# Mine\n")
    project.commit()

    output = project.run(UPDATE)
    assert "The project is updated to version 9.1.0 of the template." in output
    assert "CHANGELOG asks for:\n- Tell your users.\n" in output
    assert "A fault" not in output
    # Nothing is committed, and everything is staged.
    assert re.search(r"^( |.\w)", project.run("git status --porcelain"), re.MULTILINE) is None
    staged = project.run("git diff --cached --name-only")
    assert "items" not in staged
    assert "CHANGELOG.md" not in staged
    assert not (project.folder / LIST).exists()
    assert "A comment of the template" in project.read(".env")
    assert "A good starting point" in project.read("README.md")
    assert "Müller" in project.read("README.md")
    assert "# The backend\n" in project.read("docs/backend.md")
    assert "A sentence of the project." in project.read("docs/backend.md")
    customers = project.read(f"{ENDPOINTS}/customers.py")
    assert "# Endpoints of customers.\n" in customers
    assert "# Mine\ndef create_customer(" in customers
    assert "The form of Vuetify" in project.read(FORM_CARD)
    assert "Enqueue a task that returns a text." in project.read("frontend/openapi.json")
    assert "Enqueue a task that returns a text." in project.run("cat frontend/src/client/*.ts")
    for path, packages in ((POETRY_LOCK, ("humanize", "tabulate")), (NPM_LOCK, ("is-odd", "is-even"))):
        for package in packages:
            assert f'"{package}"' in project.read(path).replace("node_modules/", "")
    assert newest_revision(project)
    _, record = names.read(project.folder)
    assert record["version"] == "9.1.0"
    project.commit()

    project.run("sh ./scripts/native.sh up -d")
    project.check()
    project.run("sh ./scripts/native.sh test e2e customers login.spec.ts")
    assert "already contains version 9.1.0" in project.run(UPDATE, status=1)
    assert project.run("git status --porcelain") == ""


def test_conflicts_are_resolved_as_usual(named: Project) -> None:
    path = f"{ENDPOINTS}/utils.py"
    named.edit(path, "Enqueue a test task for the worker.", "Enqueue my task.")
    named.run(f"git rm --quiet {FORM_CARD.replace('FormCard', 'ListTable')} docs/frontend.md")
    named.commit()
    before = named.run("git rev-parse HEAD")
    output = named.run(UPDATE, status=1)
    assert f"with conflicts in\n    UU {path}\n" in output
    assert output.count("UU") == 1
    text = named.read(path)
    assert text.count("<<<<<<< ") == text.count(">>>>>>> ") == 1
    assert "an update is not finished" in named.run(UPDATE, status=1)
    assert "still in conflict" in named.run(f"{UPDATE} --continue", status=1)
    # It can be undone.
    named.run("git reset --quiet --hard")
    assert named.run("git status --porcelain") == ""
    assert "no update has begun" in named.run(f"{UPDATE} --continue", status=1)
    named.run("git reset --quiet --hard HEAD~1")
    named.edit(path, "Enqueue a test task for the worker.", "Enqueue my task.")
    named.commit()
    named.run(UPDATE, status=1)
    resolved = re.sub(r"<<<<<<< .*\n(.*\n)=======\n.*\n>>>>>>> .*\n", r"\1", named.read(path))
    (named.folder / path).write_text(resolved)
    named.run(f"git add {path}")
    assert "The project is updated" in named.run(f"{UPDATE} --continue")
    assert "Enqueue my task." in named.read("frontend/openapi.json")
    assert before
