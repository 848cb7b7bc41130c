"""Makes the generated files of a merged project again: lock files, the schema of the API and its client, revisions.

update.py runs this. The argument is JSON: {"locks": [PATH, ...], "revisions": [FILE NAME before the update, ...]}.
"""

import json
import os
import ssl
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

sys.path += [str(Path(__file__).resolve().parents[1] / folder) for folder in ("native", "resource")]

import frontend
import install
import node
from git import git
from settings import ROOT, RUN, last_error, prepare_state, reexec_in_venv
from workspace import Invalid, copied


def main() -> None:
    wanted = json.loads(sys.argv[1])
    prepare_state()
    # The locks come first: the packages are installed from them.
    for path in wanted["locks"]:
        print(f"Locking the packages in {path} ...", flush=True)
        lock(ROOT / path)
        git("add", path)
    # After the restart in the virtual environment, they need not be locked again.
    sys.argv[1] = json.dumps({**wanted, "locks": []})
    install.backend()
    frontend.install()
    reexec_in_venv()
    os.chdir(RUN)
    # Imported here, because these modules need packages that may just have been installed.
    import generated

    with copied(ROOT) as copy:
        generated.make_client(copy)
        if revision := generated.join_heads(copy):
            print(f"The new revision {revision} merges the revisions of the template.")
        if changes := copy.apply():
            git("add", "--all", "--", *changes)
        try:
            generated.check_migration(copy, wanted["revisions"])
        except Invalid as error:
            reason = str(error).removesuffix("Nothing was changed.")
            raise Invalid(f"{reason}A database of this project can't be migrated: edit the new revisions.") from None


def lock(file: Path) -> None:
    """Make a lock file again. Raises Invalid."""
    if file.name == "package-lock.json":
        npm = ["npm", "install", "--package-lock-only", "--ignore-scripts", "--no-audit", "--no-fund"]
        _run(npm, file.parent, node.env(os.environ))
        return
    with tempfile.TemporaryDirectory() as folder:
        _run([sys.executable, "-m", "venv", folder], file.parent)
        # The second is the plugin that pyproject.toml requires, the third is for mirrors: see docs/development.md.
        poetry = ["poetry>=2", "poetry-plugin-shell", "poetry-plugin-pypi-mirror"]
        _run([f"{folder}/bin/pip", "install", "--quiet", *poetry], file.parent)
        # Like pip, trust the certificates of the machine, such as those of a company's mirror.
        paths = ssl.get_default_verify_paths()
        trusted = os.environ.get("REQUESTS_CA_BUNDLE") or paths.cafile or paths.capath
        env = {"REQUESTS_CA_BUNDLE": trusted} if trusted else {}
        _run([f"{folder}/bin/poetry", "lock", "--no-interaction"], file.parent, env)


def _run(command: list[str], folder: Path, env: Mapping[str, str] | None = None) -> None:
    outer = {**os.environ, **(env or {})}
    done = subprocess.run(command, cwd=folder, env=outer, capture_output=True, text=True, check=False)
    if done.returncode:
        output = done.stdout + done.stderr
        raise Invalid(f"{Path(command[0]).name} {command[1]} failed: {last_error(output)}\n{output[-2000:]}")


if __name__ == "__main__":
    try:
        main()
    except Invalid as error:
        raise SystemExit(str(error).removesuffix("Nothing was changed.")) from None
