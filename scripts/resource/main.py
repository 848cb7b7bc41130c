"""Entry point of resource.sh and remove-resource.sh."""

import argparse
import os
import sys
from pathlib import Path

# The modules that install packages and start a database.
sys.path.append(str(Path(__file__).resolve().parents[1] / "native"))

import frontend
import install
from settings import RUN, STATE, locked, prepare_state, reexec_in_venv

BUSY = "another resource.sh is running in this clone: try again when it has finished."
USAGE = Path(__file__).parent / "usage.txt"


def main(arguments: list[str]) -> None:
    command, *rest = arguments
    if not rest or "-h" in rest or "--help" in rest:
        print(USAGE.read_text(), end="")
        return
    prepare_state()
    install.backend()
    frontend.install()
    reexec_in_venv()
    # The path of the supervisor's socket is relative to RUN.
    os.chdir(RUN)
    # Imported here, because these modules need packages that may just have been installed.
    import actions
    from workspace import Invalid

    parser = argparse.ArgumentParser(prog="resource.sh" if command == "generate" else "remove-resource.sh")
    parser.add_argument("name")
    parser.add_argument("--force", action="store_true")
    if command == "generate":
        parser.add_argument("--plural")
        parser.add_argument("--shared", action="store_true")
        parser.add_argument("--csv", action="store_true")
        parser.add_argument("--add", action="store_true")
        parser.add_argument("fields", nargs="*")
    options = parser.parse_intermixed_args(rest)
    if command == "generate" and options.add and (options.plural or options.shared):
        parser.error("--plural and --shared belong to the generation of a resource, not to --add")
    try:
        with locked(STATE / "resource.lock", BUSY):
            if command == "remove":
                actions.remove(options.name, force=options.force)
            elif options.add:
                actions.add(options.name, options.fields, csv=options.csv, force=options.force)
            else:
                actions.generate(
                    options.name,
                    options.fields,
                    plural=options.plural,
                    shared=options.shared,
                    csv=options.csv,
                    force=options.force,
                )
    except Invalid as error:
        raise SystemExit(f"{parser.prog}: {error}") from None


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except KeyboardInterrupt:
        sys.exit(130)
