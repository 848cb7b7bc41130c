"""Entry point of update.sh: merges a newer version of the template into the project."""

import argparse
import json
import re
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from textwrap import indent
from typing import Self

# All modules are imported before the merge changes them.
sys.path += [str(Path(__file__).resolve().parents[1] / folder) for folder in ("native", "resource")]

import frontend
import install
import names
import template
from git import git, succeeds
from settings import ROOT, prepare_state
from template import Source
from workspace import Invalid

REVISIONS = ROOT / "backend/app/alembic/versions"
CONTINUE = "sh ./scripts/update.sh --continue"
UNDO = "git reset --hard"


@dataclass(frozen=True)
class Progress:
    """What remains of an update after the merge. A file in .git records it."""

    version: str
    # Paths of the lock files that both sides have changed.
    locks: list[str]
    # File names of the revisions before the update.
    revisions: list[str]
    # What the template's CHANGELOG asks for.
    notes: str

    @staticmethod
    def file() -> Path:
        return ROOT / git("rev-parse", "--git-path", "template-update.json")

    @classmethod
    def read(cls) -> Self | None:
        """Return the update in progress, or None. The file outlives an update that was undone with git."""
        progress = cls(**json.loads(cls.file().read_text())) if cls.file().exists() else None
        _, record = names.read(ROOT)
        return progress if progress and progress.version == record.get("version") else None

    def write(self) -> None:
        self.file().write_text(json.dumps(asdict(self)))


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(
        prog="update.sh",
        description="Merge a newer version of the template into the project. Conflicts are ordinary conflicts of git. "
        f"Nothing is committed. To undo the update: {UNDO}",
    )
    parser.add_argument("--from", dest="address", help="folder or URL of the template; by default its recorded origin")
    parser.add_argument("--to", dest="version", help="the version, such as 0.3.0; by default the newest")
    parser.add_argument("--continue", dest="resume", action="store_true", help="finish after conflicts are resolved")
    options = parser.parse_args(arguments)
    if options.resume and (options.address or options.version):
        parser.error("--continue finishes an update that has begun, without --from and --to")
    try:
        if options.resume:
            finish()
        else:
            update(options.address, options.version)
    except Invalid as error:
        raise SystemExit(f"update.sh: {error}") from None


def update(address: str | None, version: str | None) -> None:
    project, record = names.read(ROOT)
    ensure_ready()
    if not record:
        raise Invalid("no version of the template is recorded: run sh ./scripts/setup.sh first, and commit.")
    origin = record["origin"]
    address = address or origin
    if not address:
        raise Invalid("the origin of the template is not recorded: add --from FOLDER_OR_URL.")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        source = Source(address, folder / "source")
        version = (version or list(source.versions)[-1]).removeprefix("v")
        new = source.commit_of(version)
        old = source.base(record, new)
        if succeeds("merge-base", "--is-ancestor", new, old, folder=source.folder):
            raise Invalid(f"the project already contains version {version} of {source.address}.")
        # The formatters are among the packages.
        prepare_state()
        install.backend()
        frontend.install()
        before, after = source.checkout(old, folder / "before"), source.checkout(new, folder / "after")
        changelog = after / "CHANGELOG.md"
        notes = template.upgrade_notes(changelog.read_text() if changelog.exists() else "", record["version"])
        resources = template.resource_changes(before)
        for tree in (before, after):
            template.prepare(tree, project, resources)
        locks = template.align(before, after)
        base = template.commit(before, f"template {record['version']}")
        merged = template.commit(after, f"template {version}", base)
        git("update-ref", "refs/heads/merged", merged, folder=source.folder)
        git("fetch", "--quiet", "--no-tags", str(source.folder), "refs/heads/merged")
    progress = Progress(version, locks, sorted(file.name for file in REVISIONS.glob("*.py")), notes)
    try:
        _merge(merged)
        record = {"version": version, "origin": source.address, "commit": new}
        (ROOT / names.RECORD).write_text(names.record(project, record))
        git("add", names.RECORD)
        progress.write()
    except BaseException:
        git("reset", "--hard", "--quiet")
        raise
    if origin not in ("", source.address):
        print(f"The recorded origin of the template is now {source.address}.")
    if conflicts := _conflicts():
        raise Invalid(
            f"version {version} is merged, with conflicts in\n{conflicts}\nResolve them as usual: edit a file and git "
            f"add it, or git rm it. Then run {CONTINUE}. To undo the update: {UNDO}."
        )
    finish()


def ensure_ready() -> None:
    """Raises Invalid."""
    try:
        top = git("rev-parse", "--show-toplevel")
    except Invalid as error:
        if "not a git repository" not in str(error):
            raise
        raise Invalid("this folder is not a git repository: run git init, and commit all files.") from None
    if not Path(top).samefile(ROOT):
        raise Invalid("the project must be the root folder of its repository.")
    if not succeeds("rev-parse", "--verify", "HEAD"):
        raise Invalid("this repository has no commit: commit all files first.")
    if Progress.read():
        raise Invalid(f"an update is not finished: resolve its conflicts if there are any, and run {CONTINUE}.")
    heads = ("MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD", "REBASE_HEAD")
    if any(succeeds("rev-parse", "--verify", head) for head in heads):
        raise Invalid("a merge, rebase, cherry-pick or revert is not finished: finish it, or abort it with git.")
    if changes := git("status", "--porcelain"):
        raise Invalid(f"these files have changes: commit, ignore or remove them first.\n{changes}")


def _merge(commit: str) -> None:
    """Apply the difference between a commit and its parent to the working tree. Raises Invalid."""
    try:
        git("cherry-pick", "--no-commit", commit)
    except Invalid:
        if not _conflicts():
            raise


def _conflicts() -> str:
    """Return the lines of git status that name files with conflicts."""
    lines = git("status", "--porcelain", "--untracked-files=no").splitlines()
    return "\n".join(f"  {line}" for line in lines if re.match(r"DD|AU|UD|UA|DU|AA|UU", line))


def finish() -> None:
    """Make the generated files again, and say what remains to do. Raises Invalid."""
    progress = Progress.read()
    if progress is None:
        raise Invalid("no update has begun: sh ./scripts/update.sh --from FOLDER_OR_URL.")
    if conflicts := _conflicts():
        raise Invalid(f"these files are still in conflict: edit and git add them.\n{conflicts}")
    # The status is 2 if it finds markers.
    markers = re.findall(r"^(.+): leftover conflict marker", git("diff", "--check", "HEAD", status=2), re.MULTILINE)
    if markers:
        raise Invalid(f"{markers[0]} still has a conflict marker: edit and git add the file.")
    # The merged scripts, with the packages of the new version.
    wanted = json.dumps({"locks": progress.locks, "revisions": progress.revisions})
    script = ["sh", "scripts/native/python.sh", "scripts/project/refresh.py", wanted]
    if subprocess.run(script, cwd=ROOT, check=False).returncode:
        raise Invalid(f"fix this, then run {CONTINUE}. To undo the update: {UNDO}.")
    progress.file().unlink()
    print(f"The project is updated to version {progress.version} of the template. Next:")
    if progress.notes:
        print(f"  - do what the template's CHANGELOG asks for:\n{indent(progress.notes, '      ')}")
    print("  - read the changes: git diff HEAD")
    print("  - restart the stack, which migrates its database: sh ./scripts/native.sh down, then up -d")
    print("  - run the tests: sh ./scripts/native.sh test")
    print(f'  - commit: git commit --all --message "Update to version {progress.version} of the template"')


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except KeyboardInterrupt:
        sys.exit(130)
