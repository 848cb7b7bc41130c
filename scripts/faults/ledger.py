"""The ledger of what the API acknowledged, the clients that fill it, and its comparison with what happened."""

import random
import time
from collections import Counter
from concurrent.futures import Executor, Future
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import uuid4

import httpx2
from app.core import files
from app.core.files import FileStoreUnavailable
from app.db.session import SessionLocal
from app.models import User
from app.models.job import job_file_key
from app.tests.utils.demo_jobs import ROWS, SECONDS, export_notes, import_notes, insert_rows
from sqlalchemy.exc import DBAPIError

from stack import Stack, wait_for

CLIENTS = 4
# The rows of an imported file: so many that a fault happens in the middle.
IMPORT_ROWS = 20_000
# The longest pause of a client between two requests, in seconds.
PAUSE = 0.6


@dataclass
class Promise:
    """A mail to an address, which gets only this mail, the rows of a batch or of an import, or an export."""

    kind: str
    key: str
    job_id: int = 0
    # The status of the response to a request that cancels the job.
    cancel_status: int = 0


@dataclass
class Outcome:
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


class Ledger:
    def __init__(self, stack: Stack, api: httpx2.Client, owner: User, executor: Executor) -> None:
        self.stack, self.api, self.owner, self._executor = stack, api, owner, executor
        self.acknowledged: list[Promise] = []
        self._clients: list[Future[None]] = []

    def start(self, client: str) -> None:
        """Start the clients, which call the method with this name."""
        for _ in range(CLIENTS):
            seeded = random.Random(self.stack.random.random())
            self._clients.append(self._executor.submit(getattr(self, client), seeded))

    def wait(self) -> None:
        for client in self._clients:
            client.result(timeout=90)

    def send_all(self, seeded: random.Random) -> None:
        kinds = ["welcome", "recovery", "test", "rows"] * 2
        users = [new_user(), new_user()]
        seeded.shuffle(kinds)
        for kind in kinds:
            time.sleep(seeded.uniform(0, PAUSE))
            address = users.pop() if kind == "recovery" else new_address()
            if kind == "welcome":
                self._post(kind, address, "/users/", json={"email": address, "password": "a password"})
            elif kind == "recovery":
                self._post(kind, address, f"/password-recovery/{address}")
            elif kind == "test":
                self._post(kind, address, "/utils/test-email/", params={"email_to": address})
            else:
                self._enqueue()

    def send_rows(self, seeded: random.Random) -> None:
        for _ in range(5):
            time.sleep(seeded.uniform(0, PAUSE))
            self._enqueue()

    def cancel_rows(self, seeded: random.Random) -> None:
        """Cancel each job at about the time at which it finishes."""
        for _ in range(4):
            promise = self._enqueue()
            assert promise
            started = partial(self.stack.sql, "SELECT FROM job WHERE id = :id AND attempts > 0", id=promise.job_id)
            wait_for(started, "the job runs")
            time.sleep(SECONDS + seeded.uniform(-0.1, 0.1))
            promise.cancel_status = self.api.post(f"/jobs/{promise.job_id}/cancel").status_code

    def transfer(self, seeded: random.Random) -> None:
        """Import a file, and export what there is."""
        for kind in ("import", "export"):
            time.sleep(seeded.uniform(0, PAUSE))
            self._transfer(kind)

    def cancel_imports(self, seeded: random.Random) -> None:
        promise = self._transfer("import")
        assert promise
        running = partial(self.stack.sql, "SELECT FROM job WHERE id = :id AND attempts > 0", id=promise.job_id)
        wait_for(running, "the import runs")
        time.sleep(seeded.uniform(0, 1.5))
        promise.cancel_status = self.api.post(f"/jobs/{promise.job_id}/cancel").status_code

    def _transfer(self, kind: str) -> Promise | None:
        batch = uuid4().hex
        content = "".join(["title\n", *(f"{batch} {number}\n" for number in range(IMPORT_ROWS))]).encode()
        with suppress(DBAPIError, FileStoreUnavailable):
            if kind == "import":
                with files.writer(f"uploads/{batch}") as file:
                    file.write(content)
            with SessionLocal.begin() as db:
                if kind == "import":
                    job = import_notes.enqueue(db, self.owner, f"uploads/{batch}", self.owner.id)
                else:
                    job = export_notes.enqueue(db, self.owner, {}, self.owner.id)
            promise = Promise(kind, batch, job.id)
            self.acknowledged.append(promise)
            return promise
        return None

    def _post(self, kind: str, address: str, path: str, **options: Any) -> None:
        with suppress(httpx2.HTTPError):
            if self.api.post(path, **options).is_success:
                self.acknowledged.append(Promise(kind, address))

    def _enqueue(self) -> Promise | None:
        batch = uuid4().hex
        try:
            with SessionLocal.begin() as db:
                promise = Promise("rows", batch, insert_rows.enqueue(db, self.owner, batch).id)
        except DBAPIError:
            return None
        self.acknowledged.append(promise)
        return promise

    def compare(self) -> Outcome:
        """Compare what was acknowledged with the mailbox and the database."""
        outcome = Outcome()
        mails, rejected = self.stack.mails.by_address(), Counter(self.stack.mails.rejected_for_good)
        jobs = {job.id: job for job in self.stack.sql("SELECT * FROM job")}
        rows = Counter((row.batch, row.number) for row in self.stack.sql("SELECT * FROM fault_row"))
        inserted = Counter(batch for batch, _ in rows)
        outcome.wrong += self._problems_of_transfers(jobs)
        for promise in self._of("welcome", "recovery", "test"):
            if not mails[promise.key] and not rejected[promise.key]:
                outcome.lost.append(f"no mail: {promise}")
        for promise in self._of("rows"):
            state, is_cancelled = jobs[promise.job_id].state, promise.cancel_status == 200
            if state != ("cancelled" if is_cancelled else "succeeded"):
                outcome.lost.append(f"{state}: {promise}")
            elif inserted.pop(promise.key, 0) != (0 if is_cancelled else ROWS):
                outcome.wrong.append(f"{state}, but the number of rows is wrong: {promise}")
        # Nothing happens twice or partially, even if it was not acknowledged.
        outcome.wrong += [f"only {count} rows of {batch}" for batch, count in inserted.items() if count != ROWS]
        outcome.wrong += [f"row {row} exists {count} times" for row, count in rows.items() if count > 1]
        outcome.wrong += [f"{key} was rejected {count} times" for key, count in rejected.items() if count > 1]
        for address, copies in mails.items():
            if len(copies) > 1:
                outcome.doubled.append(f"{len(copies)} mails to {address}")
                if len({mail["Message-ID"] for mail in copies}) > 1:
                    outcome.wrong.append(f"the mails to {address} have different Message-IDs")
        failed = [job for job in jobs.values() if job.state == "failed"]
        if len(failed) != len(rejected) or any("550" not in job.message or job.attempts != 1 for job in failed):
            outcome.wrong += [f"{job.kind} failed in attempt {job.attempts}: {job.message}" for job in failed]
            outcome.wrong.append(f"{len(rejected)} mails were rejected for good, and {len(failed)} jobs failed")
        return outcome

    def _of(self, *kinds: str) -> list[Promise]:
        return [promise for promise in self.acknowledged if promise.kind in kinds]

    def _problems_of_transfers(self, jobs: dict[int, Any]) -> list[str]:
        titles = self.stack.sql("SELECT title FROM sample_note")
        imported = Counter(title.split()[0] for (title,) in titles)
        problems = []
        for promise in self._of("import", "export"):
            problems += self._problems_of_transfer(promise, jobs[promise.job_id], imported.pop(promise.key, 0))
        # The response may have been lost.
        return problems + [f"{count} rows of {batch}" for batch, count in imported.items() if count != IMPORT_ROWS]

    def _problems_of_transfer(self, promise: Promise, job: Any, rows: int) -> list[str]:
        is_cancelled = promise.cancel_status == 200
        if job.state != ("cancelled" if is_cancelled else "succeeded"):
            return [f"{promise} is {job.state}: {job.message}"]
        if promise.kind == "import":
            # An import inserts all rows or none.
            expected = 0 if is_cancelled else IMPORT_ROWS
            return [] if rows == expected else [f"{rows} rows: {promise}"]
        with files.read(job_file_key(job.id, job.attempts)) as file:
            lines = sum(1 for _ in file)
        return [] if job.result == f"{lines - 1} rows" else [f"{lines} lines and {job.result}: {promise}"]


def new_address() -> str:
    return f"{uuid4().hex}@example.com"


def new_user() -> str:
    """Add a user directly, so that no welcome mail is sent, and return the email."""
    with SessionLocal.begin() as db:
        user = User(email=new_address(), hashed_password="-")
        db.add(user)
    return user.email
