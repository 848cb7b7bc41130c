"""The options of the tests of faults, the separate stack, and the table at the end."""

import os
import random
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest
from app.core.config import settings
from app.crud import user as crud_user
from app.db.session import SessionLocal, engine
from app.tests.utils.demo_jobs import SampleNote
from settings import read_ports

from ledger import Ledger, Outcome
from mail_server import MailServer
from stack import Stack

# Adds a row to the table, which is printed at the end.
Report = Callable[[str, float], Outcome]
TABLE = pytest.StashKey[list[str]]()
ROW = "{:<40}{:>11}{:>14}{:>6}{:>9}{:>9}"
HEADER = ROW.format("fault", "seed", "acknowledged", "lost", "doubled", "seconds")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--seed", type=int, default=random.randrange(10**9), help="repeat the random times of a run")


def pytest_configure(config: pytest.Config) -> None:
    if os.environ.get("NATIVE_STACK") != "test":
        pytest.exit("run this with: sh ./scripts/native.sh test faults", 2)
    config.stash[TABLE] = []


def pytest_report_header(config: pytest.Config) -> str:
    return f"--seed {config.getoption('seed')}"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    terminalreporter.write_line("\n".join(["", HEADER, *config.stash[TABLE]]))


@pytest.fixture(scope="session")
def mails() -> Iterator[MailServer]:
    with MailServer.listening(settings.SMTP_PORT) as server:
        assert isinstance(server, MailServer)
        yield server


@pytest.fixture(scope="session")
def api() -> Iterator[httpx2.Client]:
    """A client of the API behind the proxy, logged in as the first superuser."""
    with httpx2.Client(base_url=f"http://localhost:{read_ports()['proxy']}/api/v1", timeout=30) as client:
        form = {"username": settings.FIRST_SUPERUSER, "password": settings.FIRST_SUPERUSER_PASSWORD}
        login = client.post("/login/access-token", data=form).raise_for_status()
        client.headers["Authorization"] = f"Bearer {login.json()['access_token']}"
        yield client


@pytest.fixture
def seed(pytestconfig: pytest.Config, repetition: int) -> int:
    return int(pytestconfig.getoption("seed")) + repetition


@pytest.fixture
def stack(mails: MailServer, seed: int) -> Iterator[Stack]:
    """The stack, without jobs. After the run, all services work again."""
    stack = Stack(mails, random.Random(seed))
    stack.sql("CREATE TABLE IF NOT EXISTS fault_row (batch text NOT NULL, number integer NOT NULL)")
    SampleNote.metadata.create_all(engine)
    stack.sql("TRUNCATE fault_row, job, sample_note CASCADE")
    mails.reset()
    yield stack
    mails.hold = ""
    stack.cleanup.close()
    stack.wait_until_up()


@pytest.fixture
def ledger(stack: Stack, api: httpx2.Client) -> Iterator[Ledger]:
    with SessionLocal() as db:
        owner = crud_user.get_by_email(db, email=settings.FIRST_SUPERUSER)
    assert owner
    with ThreadPoolExecutor() as clients:
        yield Ledger(stack, api, owner, clients)


@pytest.fixture
def report(ledger: Ledger, seed: int, pytestconfig: pytest.Config) -> Report:
    def add_row(fault: str, began: float) -> Outcome:
        outcome, seconds = ledger.compare(), time.monotonic() - began
        numbers = len(ledger.acknowledged), len(outcome.lost), len(outcome.doubled)
        pytestconfig.stash[TABLE].append(ROW.format(fault, seed, *numbers, f"{seconds:.1f}"))
        return outcome

    return add_row
