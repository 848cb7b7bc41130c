"""Two versions of the template, prepared for a merge with the project.

They get the project's names, and its resources in place of the template's. The changes of the template remain.
"""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import names
from git import git, succeeds
from names import Names
from settings import FRONTEND, ROOT, STATE, VENV
from workspace import Invalid

DEFINITIONS = "scripts/resource/definitions"
ROUTERS = "backend/app/app/api/api_v1/api.py"
# Not merged: the project's own texts, and what is generated again.
KEPT = ["CHANGELOG.md", names.RECORD, "frontend/openapi.json", "frontend/src/client"]
# In the order of locking: Node.js may be among the packages of Python.
LOCKS = ("poetry.lock", "package-lock.json")
# Commits that only the merge sees need an author too.
AUTHOR = ("-c", "user.name=template", "-c", "user.email=template@localhost")


class Source:
    """A clone of the template's repository."""

    def __init__(self, address: str, folder: Path) -> None:
        """Raises Invalid."""
        # A relative path starts at the folder of the user, not of the project.
        self.address = str(Path(address).resolve()) if Path(address).exists() else address
        self.folder = folder
        try:
            git("clone", "--quiet", "--no-checkout", "--", self.address, str(folder))
        except Invalid as error:
            reason = "not a git repository" if Path(address).exists() else str(error).partition(": ")[2]
            raise Invalid(f"{address} can't be read: {reason}") from None
        self.versions = self._versions()
        if not self.versions or not succeeds("cat-file", "-e", f"HEAD:{names.RECORD}", folder=folder):
            raise Invalid(f"{address} is not this template: it has no VERSION or no {names.RECORD}.")

    def _versions(self) -> dict[str, str]:
        """Return the commit of each version: the one with its tag, or else the first whose VERSION has it."""
        versions: dict[str, str] = {}
        if not succeeds("rev-parse", "--verify", "HEAD", folder=self.folder):
            return versions
        for commit in git("log", "--reverse", "--format=%H", "HEAD", "--", "VERSION", folder=self.folder).split():
            if succeeds("cat-file", "-e", f"{commit}:VERSION", folder=self.folder):
                versions.setdefault(git("show", f"{commit}:VERSION", folder=self.folder), commit)
        for tag in git("tag", "--list", folder=self.folder).split():
            if tag.removeprefix("v") in versions:
                versions[tag.removeprefix("v")] = git("rev-parse", f"{tag}^{{commit}}", folder=self.folder)
        return versions

    def commit_of(self, version: str) -> str:
        """Raises Invalid."""
        if version not in self.versions:
            raise Invalid(f"{self.address} has no version {version}. It has: {', '.join(self.versions)}.")
        return self.versions[version]

    def base(self, record: dict[str, str], new: str) -> str:
        """Return the commit that the project was made from, or last updated to. Raises Invalid."""
        if commit := record.get("commit"):
            is_known = succeeds("cat-file", "-e", commit, folder=self.folder)
            return commit if is_known else self.commit_of(record["version"])
        # A project that was cloned has the template's commits. Its newest one is nearer than that of the version. The
        # source may also contain the project's own commits, but the new version does not follow them.
        candidates = set(git("rev-list", new, folder=self.folder).split())
        shared = next((each for each in git("rev-list", "HEAD").split() if each in candidates), None)
        return shared or self.commit_of(record["version"])

    def checkout(self, commit: str, folder: Path) -> Path:
        git("worktree", "add", "--quiet", "--detach", str(folder), commit, folder=self.folder)
        return folder


def resource_changes(tree: Path) -> dict[str, list[Any]]:
    """Return the names of the template's resources that the project has removed, and the definitions of its own."""
    theirs, mine = _definitions(tree), _definitions(ROOT)
    # resource.sh --add only appends fields. With other fields, it is another resource of the same name.
    kept = {name for name in theirs.keys() & mine.keys() if _extends(mine[name], theirs[name])}
    # In the order of the project's list, so that the lists differ as little as possible.
    routers = (ROOT / ROUTERS).read_text()
    added = sorted(mine.keys() - kept, key=lambda name: routers.find(f"{mine[name]['plural']}.router"))
    return {"remove": sorted(theirs.keys() - kept), "add": [mine[name] for name in added]}


def _definitions(folder: Path) -> dict[str, dict[str, Any]]:
    return {file.stem: json.loads(file.read_text()) for file in (folder / DEFINITIONS).glob("*.json")}


def _extends(new: dict[str, Any], old: dict[str, Any]) -> bool:
    count = len(old["fields"])
    return {**new, "fields": new["fields"][:count]} == old


def prepare(tree: Path, project: Names, resources: dict[str, list[Any]]) -> None:
    """Give a version the project's names and resources, with the version's own scripts. Raises Invalid."""
    values = [f"--{field}={getattr(project, field)}" for field in ("name", "slug", "domain", "email")]
    _run(sys.executable, tree / "scripts/project/setup.py", *values)
    if any(resources.values()):
        # The formatters of the project. Other versions of them would change more than the template did.
        links = {tree / ".native": STATE, tree / "frontend/node_modules": FRONTEND / "node_modules"}
        for link, packages in links.items():
            link.symlink_to(packages)
        _run(VENV / "bin/python", tree / "scripts/project/replay.py", json.dumps(resources))
        for link in links:
            link.unlink()


def _run(python: str | Path, script: Path, *arguments: str) -> None:
    command = [python, script, *arguments]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Invalid(f"{script.name} of the template failed:\n{(done.stdout + done.stderr)[-2000:].strip()}")


def align(before: Path, after: Path) -> list[str]:
    """Take the project's side where nothing must be merged. Return the lock files that both sides have changed."""
    for path in KEPT:
        for tree in (before, after):
            _copy(ROOT / path, tree / path)
    locks = []
    for lock in (each for name in LOCKS for each in sorted(after.rglob(name))):
        name = str(lock.relative_to(after))
        mine, old, new = (_content(folder / name) for folder in (ROOT, before, after))
        if mine not in (None, new) and old not in (mine, new):
            # The merge then takes the template's file, which is locked again with the project's packages.
            _copy(ROOT / name, before / name)
            locks.append(name)
    return locks


def _content(file: Path) -> bytes | None:
    return file.read_bytes() if file.exists() else None


def _copy(source: Path, target: Path) -> None:
    if target.is_dir():
        shutil.rmtree(target)
    target.unlink(missing_ok=True)
    if source.is_dir():
        shutil.copytree(source, target)
    elif source.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)


def commit(tree: Path, message: str, parent: str | None = None) -> str:
    """Commit the files of a checkout, without its history. Return the commit's id."""
    git("add", "--all", folder=tree)
    parents = ["-p", parent] if parent else []
    tree_id = git("write-tree", folder=tree)
    return git(*AUTHOR, "commit-tree", tree_id, *parents, "-m", message, folder=tree)


def upgrade_notes(changelog: str, version: str) -> str:
    """Return what the CHANGELOG says about upgrades from a version."""
    newer = re.split(rf"^## {re.escape(version)}\b.*$", changelog, flags=re.MULTILINE)[0]
    found = re.findall(r"^### Upgrade\n(.*?)(?=^#{2,3} |\Z)", newer, re.MULTILINE | re.DOTALL)
    return "\n".join(text.strip() for text in found)
