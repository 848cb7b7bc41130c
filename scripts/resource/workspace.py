"""A temporary copy of the project, in which files change before they change in the project."""

import os
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from settings import DATA

# Not copied: installed packages, data, and what programs write.
IGNORED = shutil.ignore_patterns(
    ".git", ".native", ".venv", "node_modules", "__pycache__", ".*_cache", "htmlcov", "dist", "*.pyc", ".hypothesis"
)


class Invalid(Exception):
    """The user's input is wrong. The text says what to do."""


def ensure_committed(root: Path) -> None:
    """Raises Invalid."""
    # Without a repository, git fails.
    done = subprocess.run(["git", "status", "--porcelain"], cwd=root, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Invalid("this folder is not a git repository: run git init and commit, or add --force.")
    if done.stdout:
        raise Invalid(f"these files have uncommitted changes: commit them, or add --force.\n{done.stdout.rstrip()}")


def is_committed(root: Path, path: str) -> bool:
    done = subprocess.run(["git", "cat-file", "-e", f"HEAD:{path}"], cwd=root, capture_output=True, check=False)
    return done.returncode == 0


def has_database(*, if_unknown: bool) -> bool:
    """Return whether there is a database of a running or stopped stack. If Docker is down, this is unknown."""
    if (DATA / "db").exists():
        return True
    if not shutil.which("docker"):
        return False
    command = ["docker", "volume", "ls", "--quiet", "--filter", "name=app-db-data"]
    volumes = subprocess.run(command, capture_output=True, text=True, check=False)
    return if_unknown if volumes.returncode else bool(volumes.stdout)


class Folder:
    """A folder with the files of the project."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, path: str, content: str) -> None:
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)

    def read(self, path: str) -> str:
        return (self.folder / path).read_text()

    def remove(self, path: str) -> None:
        """Remove a file, and the folders that are empty then."""
        file = self.folder / path
        file.unlink(missing_ok=True)
        for parent in file.parents:
            if parent == self.folder or not parent.exists() or any(parent.iterdir()):
                break
            parent.rmdir()


class Copy(Folder):
    """A copy of the project in `folder`. `apply` moves the changes into the project."""

    def __init__(self, root: Path, folder: Path) -> None:
        super().__init__(folder)
        self.root = root
        shutil.copytree(root, folder, ignore=IGNORED, symlinks=True)
        packages = root / "frontend/node_modules"
        if packages.exists():
            (folder / "frontend/node_modules").symlink_to(packages)
        self._before = self._files(folder)

    def changes(self) -> dict[str, bytes | None]:
        """Return the new contents of the changed files; None for a removed file."""
        after = self._files(self.folder)
        changed = {path: after.get(path) for path in {*self._before, *after}}
        return {path: content for path, content in sorted(changed.items()) if content != self._before.get(path)}

    def apply(self) -> dict[str, bytes | None]:
        """Move the changes into the project, and return them.

        Raises Invalid, without any change, if a file can't be written or was changed meanwhile.
        """
        changes = self.changes()
        for path in changes:
            self._ensure_unchanged_and_writable(path)
        new = {self.root / path: content for path, content in changes.items() if content is not None}
        parts = {file: file.with_name(f"{file.name}.part") for file in new}
        try:
            for file, part in parts.items():
                file.parent.mkdir(parents=True, exist_ok=True)
                part.write_bytes(new[file])
                source = self.folder / file.relative_to(self.root)
                part.chmod(stat.S_IMODE(source.stat().st_mode))
        except BaseException as error:
            for part in parts.values():
                part.unlink(missing_ok=True)
            if not isinstance(error, OSError):
                raise
            raise Invalid(f"{error.filename} can't be written: {error.strerror}. Nothing was changed.") from error
        for file, part in parts.items():
            part.replace(file)
        for path in changes.keys() - {str(file.relative_to(self.root)) for file in new}:
            file = self.root / path
            file.unlink()
            shutil.rmtree(file.parent / "__pycache__", ignore_errors=True)
            if not any(file.parent.iterdir()):
                file.parent.rmdir()
        return changes

    def _ensure_unchanged_and_writable(self, path: str) -> None:
        file, before = self.root / path, self._before.get(path)
        if (file.read_bytes() if file.exists() else None) != before:
            raise Invalid(f"{path} was changed meanwhile. Nothing was changed: run this again.")
        existing = next(each for each in (file, *file.parents) if each.exists())
        # Root may write read-only files, but they were made read-only for a reason.
        if not os.access(existing, os.W_OK) or not existing.stat().st_mode & stat.S_IWUSR:
            raise Invalid(f"{existing} is read-only. Nothing was changed: make it writable, then run this again.")

    @staticmethod
    def _files(folder: Path) -> dict[str, bytes]:
        found = {}
        for current, folders, files in os.walk(folder):
            ignored = IGNORED(current, [*folders, *files])
            folders[:] = [each for each in folders if each not in ignored]
            for name in files:
                path = Path(current) / name
                if name not in ignored and not path.is_symlink():
                    found[str(path.relative_to(folder))] = path.read_bytes()
        return found


@contextmanager
def copied(root: Path) -> Iterator[Copy]:
    with tempfile.TemporaryDirectory() as folder:
        # On macOS, the path of a temporary folder contains a link.
        target = Path(folder).resolve() / "project"
        try:
            copy = Copy(root, target)
        except (shutil.Error, OSError) as error:
            raise Invalid(f"the project can't be copied: {error}") from None
        yield copy
