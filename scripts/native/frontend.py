"""The web app: Vite's development server, or with FRONTEND_ENV=production the built web app."""

import node
from settings import FRONTEND, RUN, Env, call, fail, read_ports

VITE = "node_modules/vite/bin/vite.js"
# Each stack has its own build: the two stacks of a clone may build at the same time.
BUILD = RUN / "frontend"


def is_installed() -> bool:
    return node.is_installed(FRONTEND, FRONTEND)


def install() -> None:
    node.install_packages(FRONTEND, FRONTEND, "the frontend's packages (about 15 seconds)")


def is_production(env: Env) -> bool:
    return env.get("FRONTEND_ENV") == "production"


def prepare(env: Env) -> None:
    install()
    if is_production(env):
        build = [node.executable(), VITE, "build", f"--outDir={BUILD}", "--emptyOutDir", "--logLevel=warn"]
        if call(build, cwd=FRONTEND, env=dict(env)).returncode:
            fail("the web app can't be built: see Vite's messages above.")


def command(env: Env) -> list[str]:
    preview = ["preview", f"--outDir={BUILD}"] if is_production(env) else []
    address = ["--host=127.0.0.1", f"--port={read_ports()['frontend']}", "--strictPort"]
    return [node.executable(), VITE, *preview, *address]
