"""The mail catcher, which is installed when it first starts."""

import sys

import node
from settings import DATA, ROOT, SCRIPTS, STATE, Env, read_ports

FOLDER = STATE / "mailcatcher"
PROJECT = SCRIPTS / "mailcatcher"
GUARD = ROOT / "scripts/mailcatcher/guard.mjs"


def is_installed() -> bool:
    return node.is_installed(FOLDER, PROJECT)


def prepare(_: Env) -> None:
    node.install_packages(FOLDER, PROJECT, "the mail catcher (about 10 seconds)")


def env(_: Env) -> dict[str, str]:
    return {"MAILCATCHER_OWNER_ONLY": "1"} if sys.platform == "linux" else {}


def command(_: Env) -> list[str]:
    ports = read_ports()
    mails = DATA / "mailcatcher"
    mails.mkdir(mode=0o700, exist_ok=True)
    return [
        node.executable(),
        # A small heap for short-lived objects saves a third of the memory.
        "--max-semi-space-size=1",
        f"--import={GUARD.as_uri()}",
        str(FOLDER / "node_modules/maildev/dist/bin/maildev.js"),
        *("--ip=127.0.0.1", f"--smtp={ports['smtp']}", "--web-ip=127.0.0.1", f"--web={ports['mail']}"),
        # By default all users share a folder in /tmp, to which only the user who created it can write.
        *(f"--mail-directory={mails}", "--max-emails=1000"),
    ]
