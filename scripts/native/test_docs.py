"""Runs the documented commands that are marked "native". Start the stack first: sh ./scripts/native.sh up -d."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from docs import COMMAND_LANGUAGES, PAGES, ROOT, TAGS, Block, blocks

PORTS = json.loads((ROOT / ".native" / "ports.json").read_text())
REVISIONS = ROOT / "backend" / "app" / "alembic" / "versions"


def run(commands: str) -> str:
    """Run shell commands in the project's folder. Commands for containers are replaced by native ones."""
    commands = commands.replace("docker-compose", "sh ./scripts/native.sh")
    commands = commands.replace("http://localhost/", f"http://localhost:{PORTS['proxy']}/")
    shell = ["sh", "-euc", commands]
    done = subprocess.run(shell, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:]
    return done.stdout


def changes() -> str:
    return run("git status --short && git diff")


@pytest.fixture
def no_revision_left() -> Iterator[None]:
    before = set(REVISIONS.glob("*.py"))
    yield
    added = set(REVISIONS.glob("*.py")) - before
    if added:
        run("sh ./scripts/native.sh exec backend alembic downgrade -1")
    for revision in added:
        revision.unlink()


@pytest.mark.usefixtures("no_revision_left")
@pytest.mark.parametrize("block", blocks("native"), ids=str)
def test_documented_commands_work(block: Block) -> None:
    before = changes()
    # .ci/run already runs all tests, and others below run some by name. Here, list the tests that the words select.
    commands = re.sub(r"(native\.sh test e2e .+)", r"\1 --list", block.text)
    commands = re.sub(r"(native\.sh test (-|app/).+)", r"\1 --collect-only --quiet", commands)
    output = run(commands)
    assert output.count("Total: ") == block.text.count("test e2e ")
    if "users/me" in block.text:
        assert re.search(r'\{"id":\d+.*"is_superuser":true', output)
    elif "alembic revision" in block.text:
        assert "Running upgrade" in output
    elif "FRONTEND_ENV=production" in block.text:
        assert "/assets/" in run("curl -s http://localhost/login")
        run("docker-compose down && docker-compose up -d")
    else:
        # Formatters and generators have nothing to do in a clean tree.
        assert changes() == before


@pytest.mark.parametrize("block", blocks("ci"), ids=str)
def test_ci_runs_the_commands_that_are_marked_ci(block: Block) -> None:
    ci = (ROOT / ".ci" / "run").read_text().replace("run_pytest", ".native/venv/bin/python -m pytest")
    for line in block.text.splitlines():
        command = line.split("  #")[0].strip()
        assert command in ci


@pytest.mark.parametrize("block", [each for each in blocks() if each.language in COMMAND_LANGUAGES], ids=str)
def test_every_block_of_commands_is_marked(block: Block) -> None:
    assert block.tags
    assert block.tags <= TAGS


def anchors(text: str) -> set[str]:
    """Return the anchors of a page's headings, as GitHub and GitLab create them."""
    headings = re.findall(
        r"^#+ (.*)$", re.sub(r"^ *```.*?```$", "", text, flags=re.MULTILINE | re.DOTALL), re.MULTILINE
    )
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.name))
def test_targets_of_links_exist(page: Path) -> None:
    for target in re.findall(r"\]\(([^)]+)\)", page.read_text()):
        if re.match(r"https?:", target):
            continue
        path, _, anchor = target.partition("#")
        linked = (page.parent / path).resolve() if path else page
        assert linked.exists(), target
        assert not anchor or anchor in anchors(linked.read_text()), target


def test_security_page_names_existing_code_and_tests() -> None:
    """A test is named as in the source, also if its title has parameters."""
    text = (ROOT / "docs" / "security.md").read_text()
    table = text.partition("| ASVS |")[2].partition("\n\n")[0].splitlines()[2:]
    assert 0 < len(table) <= 40
    for row in table:
        found = re.fullmatch(r"\| `[\d.]+`(?:, `[\d.]+`)* \| .+ \| `(\S+)` \| `(\S+?)::(.+)` \|", row)
        assert found, row
        code, file, name = found.groups()
        assert (ROOT / code).exists(), code
        source = (ROOT / file).read_text()
        assert f"def {name}(" in source or re.search(rf"[`'\"]{re.escape(name)}[`'\"], ", source), f"{file}::{name}"
