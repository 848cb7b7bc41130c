"""update.sh, on projects of a made-up version 9.0.0 of the template, and its successors."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from docs import blocks

import names
import refresh
from clone import NAME, SETUP, Clone, Project

ENDPOINTS = "backend/app/app/api/api_v1/endpoints"
USER = "backend/app/app/models/user.py"
FORM_CARD = "frontend/src/components/FormCard.vue"
LIST = "frontend/src/views/main/items/Items.vue"
SECTION = "\n## Endpoints\n"
POETRY_LOCK = "backend/app/poetry.lock"
NPM_LOCK = "frontend/package-lock.json"
VERSIONS = "backend/app/alembic/versions"
UPDATE = "sh ./scripts/update.sh --to 9.1.0"
CONTINUE = "sh ./scripts/update.sh --continue"

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


def add_packages(clone: Clone, python: tuple[str, str], npm: tuple[str, str]) -> None:
    """Add packages before others, and lock them."""
    for path, (package, other) in (("backend/app/pyproject.toml", python), ("frontend/package.json", npm)):
        clone.edit(path, f'    "{other}', f'    "{package}",\n    "{other}')
    for path in (POETRY_LOCK, NPM_LOCK):
        refresh.lock(clone.folder / path)


def newest_revision(clone: Clone) -> str:
    texts = [file.read_text() for file in (clone.folder / VERSIONS).glob("*.py")]
    ids = {each for text in texts for each in re.findall(r'^revision: str = "(\w+)"', text, re.MULTILINE)}
    followed = "".join(each for text in texts for each in re.findall(r"^down_revision: .*", text, re.MULTILINE))
    (head,) = ids - set(re.findall(r'"(\w+)"', followed))
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
    """The template with versions 9.0.0, 9.0.1, 9.1.0, and 9.2.0, which adds packages."""
    clone = Clone(tmp_path_factory.mktemp("template") / "template")
    record = json.loads(clone.read(names.RECORD))
    record.pop("template", None)
    (clone.folder / names.RECORD).write_text(json.dumps(record))
    (clone.folder / "VERSION").write_text("9.0.0\n")
    clone.commit()
    clone.run("git tag v9.0.0")
    clone.edit("docs/frontend.md", "# Frontend\n", "# The frontend\n")
    (clone.folder / "VERSION").write_text("9.0.1\n")
    clone.commit()

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
    # A line that version 9.0.1 has changed too.
    clone.edit("docs/frontend.md", "# The frontend\n", "# The frontend of the template\n")
    changelog = clone.read("CHANGELOG.md")
    notes = "# Changelog\n\n## 9.1.0\n\n### Upgrade\n\n- Tell your users.\n\n### Fixed\n\n- A fault.\n"
    (clone.folder / "CHANGELOG.md").write_text(changelog.replace("# Changelog\n", f"{notes}\n## 9.0.0\n", 1))
    (clone.folder / "VERSION").write_text("9.1.0\n")
    clone.commit()
    add_packages(clone, ("humanize (>=4)", "jinja2"), ('is-odd": "*', "vue-router"))
    (clone.folder / "VERSION").write_text("9.2.0\n")
    clone.commit()
    return clone


def start(project: Project, template: Clone) -> None:
    """Make the project a clone of version 9.0.0 again. Only its installed packages remain."""
    project.run("sh ./scripts/native.sh down -v", status=None)
    project.run(f"rm -rf .git && git init --quiet && git remote add origin {template.folder}")
    project.run("git fetch --quiet origin tag v9.0.0 && git reset --quiet --hard v9.0.0 && git clean --quiet -fd")
    project.run("git config user.name Test && git config user.email test@example.com")


@pytest.fixture
def named(project: Project, template: Clone) -> Project:
    start(project, template)
    project.run(SETUP)
    project.commit()
    return project


def test_documented_day_and_update(project: Project, template: Clone) -> None:
    """The commands of the documentation, with changes by hand in between. The result passes all checks."""
    name, generate, remove, update = [block.text for block in blocks("project")]
    start(project, template)
    project.run(name)
    assert f"The project is {NAME} (my-shop)" in project.run(SETUP)
    project.commit()
    project.run(generate)
    project.run(remove)
    add_packages(project, ("tabulate (>=0.9)", "tenacity"), ('is-even": "*', "typescript"))
    project.edit("docs/backend.md", SECTION, f"\nA sentence of the project.\n{SECTION}")
    project.edit(f"{ENDPOINTS}/products.py", "def create_product(", "# Mine\ndef create_product(")
    (project.folder / "CHANGELOG.md").write_text("# Mine\n")
    project.commit()

    output = project.run(update.replace("FOLDER_OR_URL", str(template.folder)))
    assert "The project is updated to version 9.2.0 of the template." in output
    assert "CHANGELOG asks for:\n      - Tell your users.\n" in output
    assert "A fault" not in output
    assert project.run("git status --porcelain") == ""
    changed = project.run("git diff --name-only HEAD~1")
    assert "items" not in changed.lower()
    assert "CHANGELOG.md" not in changed
    assert_merged(project)
    assert "A sentence of the project." in project.read("docs/backend.md")
    products = project.read(f"{ENDPOINTS}/products.py")
    assert "# Endpoints of products.\n" in products
    assert "# Mine\ndef create_product(" in products
    assert {"humanize", "tabulate"} <= set(re.findall(r'^name = "(.*)"', project.read(POETRY_LOCK), re.MULTILINE))
    assert {"is-odd", "is-even"} <= set(re.findall(r'"node_modules/(.*)": {', project.read(NPM_LOCK)))
    # One revision follows all others.
    assert newest_revision(project)

    project.up()
    project.check()
    # The tests of the web app's functions pass without Item.
    project.run("sh ./scripts/native.sh test unit")
    project.run("sh ./scripts/native.sh test e2e products login.spec.ts")
    output = project.run("sh ./scripts/update.sh", status=1)
    assert output == f"update.sh: the project already contains version 9.2.0 of {template.folder}.\n"


def assert_merged(project: Project) -> None:
    """The changes of version 9.1.0 are there, and the names are those of the project."""
    assert NAME in project.read("README.md")
    assert "A good starting point" in project.read("README.md")
    assert re.search(r'^PROJECT_NAME="Müller.*\n# A comment of the template', project.read(".env"), re.MULTILINE)
    assert project.read("docs/backend.md").startswith("# The backend\n")
    assert "// The form of Vuetify." in project.read(FORM_CARD)
    assert "nickname" in project.read(USER)
    for path in ("frontend/openapi.json", "frontend/src/client/sdk.gen.ts"):
        assert "Enqueue a task that returns a text." in project.read(path)


def test_conflicts_are_resolved_as_usual(named: Project) -> None:
    path = f"{ENDPOINTS}/utils.py"
    named.edit(path, "Enqueue a test task for the worker.", "Enqueue my task.")
    named.run(f"git rm --quiet {FORM_CARD}")
    named.commit()
    output = named.run(UPDATE, status=1)
    assert f"version 9.1.0 is merged, with conflicts in\n  UU {path}\n  DU {FORM_CARD}\n" in output
    assert named.read(path).count("<<<<<<< HEAD\n") == 1
    assert "an update is not finished" in named.run(UPDATE, status=1)
    assert "still in conflict" in named.run(CONTINUE, status=1)
    named.run("git reset --quiet --hard")
    assert named.run("git status --porcelain") == ""
    assert "no update has begun" in named.run(CONTINUE, status=1)

    # Without its card, no form of the web app can be built, but the API and its client can be.
    named.run(UPDATE, status=1)
    named.run("git add --all")
    assert re.search(rf"{path}:\d+ still has a conflict marker", named.run(CONTINUE, status=1))
    resolved = re.sub(r"<<<<<<< .*\n(.*\n)=======\n.*\n>>>>>>> .*\n", r"\1", named.read(path))
    (named.folder / path).write_text(resolved)
    named.run(f"git add {path} && git rm --quiet --force {FORM_CARD} && git commit --quiet --message Resolved")
    # The generated files are still the old ones.
    assert "an update is not finished" in named.run(UPDATE, status=1)
    assert "The project is updated to version 9.1.0" in named.run(CONTINUE)
    assert "Enqueue my task." in named.read("frontend/openapi.json")
    assert "no update has begun" in named.run(CONTINUE, status=1)


def test_copy_without_history_is_updated(project: Project, template: Clone) -> None:
    start(project, template)
    project.run(f"rm -rf .git && git init --quiet && {SETUP}")
    project.run("git config user.name Test && git config user.email test@example.com")
    project.commit()
    assert names.read(project.folder)[1] == {"version": "9.0.0", "origin": ""}
    assert "add --from FOLDER_OR_URL" in project.run(UPDATE, status=1)
    project.run(
        f"cd docs && sh ../scripts/update.sh --from ../{os.path.relpath(template.folder, project.folder)} --to v9.0.1"
    )
    assert project.read("docs/frontend.md").startswith("# The frontend\n")
    assert names.read(project.folder)[1]["origin"] == str(template.folder)
    project.commit()
    assert "is updated to version 9.1.0" in project.run(UPDATE)
    assert_merged(project)


def test_clone_with_own_commits_is_updated(project: Project, template: Clone, tmp_path: Path) -> None:
    start(project, template)
    project.edit("docs/backend.md", SECTION, f"\nA sentence of the project.\n{SECTION}")
    project.commit()
    project.run(SETUP)
    project.commit()
    assert "is updated to version 9.1.0" in project.run(UPDATE)
    assert_merged(project)
    assert "A sentence of the project." in project.read("docs/backend.md")
    # A branch of the project in the template's repository is not the template.
    project.commit()
    project.run("git push --quiet origin HEAD:refs/heads/project")
    project.run("git reset --quiet --hard HEAD~1")
    # The user's own exclude file has no effect on the template's files.
    (tmp_path / "exclude").write_text(".env\n")
    (tmp_path / "config").write_text(f"[core]\nexcludesFile = {tmp_path}/exclude\n")
    assert "is updated to version 9.1.0" in project.run(f"GIT_CONFIG_GLOBAL={tmp_path}/config {UPDATE}")
    assert_merged(project)
    assert "A sentence of the project." in project.read("docs/backend.md")
    # The second update starts from the first one, not from the clone.
    project.run("git reset --quiet --hard && sh ./scripts/update.sh --to 9.0.1")
    project.commit()
    assert "is updated to version 9.1.0" in project.run(UPDATE)
    assert project.read("docs/frontend.md").startswith("# The frontend of the template\n")


def test_removed_table_that_the_template_changes_is_reported(named: Project, template: Clone, tmp_path: Path) -> None:
    named.run("sh ./scripts/remove-resource.sh item")
    named.commit()
    source = Clone(tmp_path / "template", template.folder)
    source.run("git reset --quiet --hard HEAD~1")
    path = f"{VERSIONS}/0123456789ab_add_nickname.py"
    source.edit(path, '"user"', '"item"')
    source.edit(USER, "    nickname: Mapped[str | None] = mapped_column(String(80))\n", "")
    (source.folder / "VERSION").write_text("9.3.0\n")
    source.commit()
    output = named.run(f"sh ./scripts/update.sh --from {source.folder}", status=1)
    assert 'relation "item" does not exist' in output
    assert "edit the new revisions" in output
    # Everything is staged, so that git reset --hard would undo it.
    assert re.search(r"^(\?\?|.\w)", named.run("git status --porcelain"), re.MULTILINE) is None
    text = re.sub(r"^    op\..*$", "    pass", named.read(path), flags=re.MULTILINE)
    (named.folder / path).write_text(text)
    assert "is updated to version 9.3.0" in named.run(CONTINUE)


def test_unusable_source_changes_nothing(named: Project, template: Clone, tmp_path: Path) -> None:
    other = Clone(tmp_path / "other", template.folder)
    other.run(f"git rm --quiet {names.RECORD}")
    other.commit()
    (tmp_path / "empty").mkdir()
    for options, message in (
        (f"--from {tmp_path}/empty", "empty can't be read: not a git repository"),
        (f"--from {tmp_path}/nowhere", "nowhere can't be read: "),
        ("--from http://127.0.0.1:9/template.git", "http://127.0.0.1:9/template.git can't be read: "),
        (f"--from {other.folder}", "is not this template: it has no VERSION or no scripts/project/names.json."),
        ("--to 8.0.0", "has no version 8.0.0. It has: "),
        ("--to 9.0.0", "the project already contains version 9.0.0 of "),
    ):
        output = named.run(f"sh ./scripts/update.sh {options}", status=1)
        assert message in output
        assert len(output.splitlines()) == 1
        assert named.run("git status --porcelain") == ""


def test_unready_project_is_not_changed(named: Project, template: Clone) -> None:
    (named.folder / "note.txt").write_text("mine")
    assert "these files have changes: commit, ignore or remove them first.\n?? note.txt" in named.run(UPDATE, status=1)
    (named.folder / "note.txt").unlink()

    named.run("git checkout --quiet -b other && git commit --quiet --allow-empty --message Other")
    named.run("git checkout --quiet - && git merge --quiet --no-ff --no-commit other", status=None)
    assert "is not finished: finish it, or abort it with git" in named.run(UPDATE, status=1)
    named.run("git merge --abort", status=None)

    record = json.loads(named.read(names.RECORD))
    del record["template"]
    (named.folder / names.RECORD).write_text(json.dumps(record))
    named.commit()
    assert "no version of the template is recorded: run sh ./scripts/setup.sh first" in named.run(UPDATE, status=1)

    named.run("rm -rf .git")
    assert "this folder is not a git repository: run git init" in named.run(UPDATE, status=1)
    named.run("git init --quiet")
    assert "this repository has no commit" in named.run(UPDATE, status=1)
