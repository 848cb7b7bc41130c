"""The frontend: Vite's server with hot reload, or with FRONTEND_ENV=production the built page."""

import contextlib
from collections.abc import Mapping

import node
from settings import ROOT, RUN, call, fail, prepare_state, read_ports

Env = Mapping[str, str]
FOLDER = ROOT / "frontend"
VITE = "node_modules/vite/bin/vite.js"
BUILT = RUN / "frontend"


def is_installed() -> bool:
    return node.is_installed(FOLDER, FOLDER)


def install() -> None:
    node.install_packages(FOLDER, FOLDER, "the frontend's packages (about 15 seconds)")


def shows_build(env: Env) -> bool:
    return env.get("FRONTEND_ENV") == "production"


def prepare(env: Env) -> None:
    install()
    if shows_build(env):
        # Two stacks of a clone may build at the same time, each for itself.
        build = [node.executable(), VITE, "build", f"--outDir={BUILT}", "--emptyOutDir", "--logLevel=warn"]
        if call(build, cwd=FOLDER, env=dict(env)).returncode:
            fail("the page can't be built: Vite's words are above.")


def command(env: Env) -> list[str]:
    verb = ["preview", f"--outDir={BUILT}"] if shows_build(env) else []
    address = ["--host=127.0.0.1", f"--port={read_ports()['frontend']}", "--strictPort"]
    return [node.executable(), VITE, *verb, *address]


if __name__ == "__main__":
    prepare_state()
    with contextlib.suppress(KeyboardInterrupt):
        install()
