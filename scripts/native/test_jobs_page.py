"""Adds the examples of docs/jobs.md to a copy of the backend, and runs them there. Start the stack first."""

import re
import shutil
import subprocess
from pathlib import Path

from docs import ROOT, blocks
from settings import BACKEND


def add(example: str, file: Path) -> None:
    """Add an example to a file: its imports at the top, a method to the class, and all else at the end."""
    code = file.read_text()
    imports = "".join(re.findall(r"^from .+\n", example, re.MULTILINE))
    rest = re.sub(r"^from .+\n", "", example, flags=re.MULTILINE).strip("\n")
    if rest.startswith(" "):
        code = re.sub(r"\n\n\n(\w+ = CRUD)", lambda match: f"\n\n{rest}\n\n\n{match[1]}", code)
    else:
        code += f"\n\n{rest}\n"
    file.write_text(re.sub(r"^from ", f"{imports}from ", code, count=1, flags=re.MULTILINE))


def test_documented_jobs_run(tmp_path: Path) -> None:
    copy = tmp_path / "app"
    shutil.copytree(BACKEND, copy, ignore=shutil.ignore_patterns("__pycache__", ".*_cache", "htmlcov"))
    examples = [block for block in blocks() if block.page == "docs/jobs.md" and block.language == "python"]
    assert len(examples) == 4
    for block in examples:
        path, example = block.text.removeprefix("# ").split("\n", 1)
        add(example, copy / path)
    checks = (
        "ruff check --quiet --fix --select I .",
        "ruff check --quiet .",
        "python -m pytest -n 0 -p no:cacheprovider app/tests/documented_jobs.py",
    )
    script = 'cd "$1"; ' + "; ".join(checks)
    done = subprocess.run(
        ["sh", "./scripts/native.sh", "exec", "backend", "sh", "-euc", script, "sh", str(copy)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    print(done.stdout)
    assert done.returncode == 0
