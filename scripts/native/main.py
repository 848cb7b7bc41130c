"""Entry point of native.sh."""

import errno
import os
import signal
import sys
from concurrent.futures import ThreadPoolExecutor

import frontend
import install
from settings import RUN, SCRIPTS, TESTING, fail, prepare_state, reexec_in_venv

COMMANDS = {"up", "ps", "logs", "exec", "stop", "start", "restart", "down", "test"}
# Tests with a separate stack.
SEPARATE = {"e2e", "faults", "screenshots", "lighthouse"}
# Settings of the separate stack that override those of the development stack.
TEST_SETTINGS = {
    "NATIVE_STACK": "test",
    "FRONTEND_ENV": "production",
    "DOMAIN": "localhost",
    # The web app calls the API at its own origin, so it needs no CORS.
    "BACKEND_CORS_ORIGINS": "",
    "USERS_OPEN_REGISTRATION": "True",
    # The tests send more requests than any client.
    "LIMIT_FAILED_PASSWORDS": "1000000 per second",
    "LIMIT_FAILED_PASSWORDS_OF_NETWORK": "1000000 per second",
    "LIMIT_MAILS": "1000000 per second",
    "LIMIT_MAILS_OF_NETWORK": "1000000 per second",
    "SENTRY_DSN": "",
}
# The tests of faults have their own kind of job, which the worker and beat must know.
FAULTS_SETTINGS = {
    "CELERY_WORKER_INCLUDE": "app.tests.utils.demo_jobs",
    "CELERY_BEAT_SCHEDULER": "app.tests.utils.demo_jobs:Scheduler",
}


def main(arguments: list[str]) -> None:
    command, *rest = arguments or ["--help"]
    if command in ("-h", "--help") or rest[:1] in (["-h"], ["--help"]):
        print((SCRIPTS / "usage.txt").read_text(), end="")
        return
    if command not in COMMANDS:
        fail(f"no such command: {command}. See sh ./scripts/native.sh --help.")
    if command == "test" and SEPARATE.intersection(rest[:1]) and not TESTING:
        os.environ |= TEST_SETTINGS | (FAULTS_SETTINGS if rest[0] == "faults" else {})
        os.execv(sys.executable, [sys.executable, *sys.argv])
    if command not in ("up", "test") and not install.is_installed():
        print("native.sh: nothing was started in this clone yet: sh ./scripts/native.sh up", file=sys.stderr)
        sys.exit(0 if command in ("ps", "logs", "down") else 1)
    # Set SIGINT too: a shell makes commands in the background (&) ignore it.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    prepare_state()
    if command == "up":
        with ThreadPoolExecutor() as pool:
            for installation in (pool.submit(install.backend), pool.submit(frontend.install)):
                installation.result()
    elif command == "test":
        install.backend("dev")
    reexec_in_venv()
    # The path of the supervisor's socket is relative to RUN.
    os.chdir(RUN)
    # Imported here, because these modules need packages that may just have been installed.
    import commands
    import testing

    functions = {"logs": commands.show_logs, "exec": commands.execute, "test": testing.run}
    sys.exit((functions.get(command) or getattr(commands, command))(rest))


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
