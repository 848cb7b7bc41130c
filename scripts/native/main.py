"""The stack without Docker, with Compose's verbs: sh ./scripts/native.sh VERB."""

import argparse
import errno
import os
import subprocess
import sys

import frontend
import install
from settings import RUN, SCRIPTS, TESTING, die_with_parent, fail, prepare_state, reexec_in_venv

TEST_HELP = """\
usage: native.sh test                      every test: backend, unit, e2e
       native.sh test --skip-e2e           all but those in a browser
       native.sh test [ARGUMENTS]          the backend's; arguments go to pytest: test -x -k users
       native.sh test backend [ARGUMENTS]  the same
       native.sh test unit [ARGUMENTS]     the frontend's; arguments go to vitest: test unit rules
       native.sh test e2e [ARGUMENTS]      in a browser, on a stack of their own; arguments go to
                                           Playwright: test e2e login.spec.ts

The browser is the one that CHROMIUM names, else the machine's Chromium or Chrome, else one from npm."""
# What the tests' stack has that is not the development's.
TEST_SETTINGS = {
    "NATIVE_STACK": "test",
    "FRONTEND_ENV": "production",
    "DOMAIN": "localhost",
    # The web app talks to its own origin.
    "BACKEND_CORS_ORIGINS": "",
    "USERS_OPEN_REGISTRATION": "True",
    "SENTRY_DSN": "",
}


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="native.sh", description=__doc__)
    verbs = top.add_subparsers(dest="verb", required=True, metavar="VERB")
    up = verbs.add_parser("up", help="start everything and show the logs until Ctrl-C")
    up.add_argument("-d", "--detach", action="store_true", help="start in the background")
    verbs.add_parser("ps", help="list the services")
    log = verbs.add_parser("logs", help="show the logs of some or all services")
    log.add_argument("-f", "--follow", action="store_true", help="go on as they grow")
    log.add_argument("services", nargs="*", metavar="SERVICE")
    verbs.add_parser("exec", help="SERVICE COMMAND...: run a command with a service's environment and folder")
    for verb in ("stop", "start", "restart"):
        verbs.add_parser(verb, help=f"{verb} some or all services").add_argument(
            "services", nargs="*", metavar="SERVICE"
        )
    down = verbs.add_parser("down", help="stop everything")
    down.add_argument("-v", "--volumes", action="store_true", help="and remove the data; installed packages stay")
    verbs.add_parser("test", help="[backend|unit|e2e] [ARGUMENTS]: run the tests (test --help)")
    return top


def main(words: list[str]) -> None:
    verb, rest = (words[0], words[1:]) if words else ("--help", [])
    if verb == "test" and rest[:1] in (["-h"], ["--help"]):
        print(TEST_HELP)
        return
    # Their arguments are other programs'.
    passed_on = verb == "test" or (verb == "exec" and rest[:1] not in (["-h"], ["--help"]))
    args = parser().parse_args([verb] if passed_on or not words else words)
    if verb == "test" and rest[:1] == ["e2e"] and not TESTING:
        os.environ |= TEST_SETTINGS
        os.execv(sys.executable, [sys.executable, *sys.argv])
    if verb not in ("up", "test") and not install.ready():
        print("native.sh: nothing was started in this clone yet: sh ./scripts/native.sh up", file=sys.stderr)
        sys.exit(0 if verb in ("ps", "logs", "down") else 1)
    prepare_state()
    if verb == "up":
        install_everything()
    elif verb == "test":
        install.backend("dev")
    reexec_in_venv()
    # The supervisor's socket has a relative name.
    os.chdir(RUN)
    # These need the packages that were just installed.
    import commands
    import testing

    if verb == "exec":
        commands.execute(rest)
    elif verb == "test":
        sys.exit(testing.run(rest))
    else:
        {
            "up": commands.up,
            "ps": commands.ps,
            "logs": commands.show_logs,
            "stop": commands.stop,
            "start": commands.start,
            "restart": commands.restart,
            "down": commands.down,
        }[verb](args)


def install_everything() -> None:
    """Install the backend's packages and the frontend's at the same time."""
    other = None
    if not frontend.is_installed():
        other = subprocess.Popen([sys.executable, str(SCRIPTS / "frontend.py")], preexec_fn=die_with_parent)
    install.backend()
    if other and other.wait():
        sys.exit(1)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            fail("the disk is full: free some space and run this again.")
        fail(f"{error.strerror}: {error.filename}")
