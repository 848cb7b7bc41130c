"""The stack without Docker, with Compose's verbs: sh ./scripts/native.sh VERB."""

import argparse
import errno
import os
import sys

import install
from settings import STATE, fail, prepare_state, reexec_in_venv

TESTS = ("backend", "unit", "e2e", "faults")


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
    restart = verbs.add_parser("restart", help="restart some or all services")
    restart.add_argument("services", nargs="*", metavar="SERVICE")
    down = verbs.add_parser("down", help="stop everything")
    down.add_argument("-v", "--volumes", action="store_true", help="and remove the data; installed packages stay")
    verbs.add_parser("test", help="[backend|unit|e2e|faults] [ARGUMENTS]: run the tests; arguments go to pytest")
    return top


def main(words: list[str]) -> None:
    verb, rest = (words[0], words[1:]) if words else ("--help", [])
    # Their arguments are other programs'.
    passed_on = verb in ("exec", "test") and rest[:1] not in (["-h"], ["--help"])
    args = parser().parse_args([verb] if passed_on or not words else words)
    if verb == "test":
        kind = rest.pop(0) if rest[:1] and rest[0] in TESTS else "backend"
        if kind != "backend":
            print(f"native.sh: there are no {kind} tests yet.", file=sys.stderr)
            sys.exit(2)
    elif verb != "up" and not install.ready():
        print("native.sh: nothing was started in this clone yet: sh ./scripts/native.sh up", file=sys.stderr)
        sys.exit(0 if verb in ("ps", "logs", "down") else 1)
    prepare_state()
    if verb in ("up", "test"):
        install.backend(*(["dev"] if verb == "test" else []))
    reexec_in_venv()
    # The supervisor's socket has a relative name.
    os.chdir(STATE)
    # These need the packages that were just installed.
    import commands

    if verb == "exec":
        commands.execute(rest)
    elif verb == "test":
        commands.test(rest)
    else:
        {
            "up": commands.up,
            "ps": commands.ps,
            "logs": commands.show_logs,
            "restart": commands.restart,
            "down": commands.down,
        }[verb](args)


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
