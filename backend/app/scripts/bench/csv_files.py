"""Measures imports and exports: from the request until the job has finished."""

import csv
import io
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jobs import running_worker
from load import API, SERVER_CORE, Server, pin
from sqlalchemy import create_engine, text
from subjects import BACKEND, FILES, bench_environment, pin_database, request_token


def report_csv_files(running: Server, uri: str, number: int) -> None:
    """Import and export so many rows, and print the rates as ratios to a plain loop."""
    environment = bench_environment(BACKEND, uri)
    user = running.users["csv"].id
    authorization = {"Authorization": f"Bearer {request_token(running, 'csv@example.com')}"}

    def run(operation: str, body: bytes = b"") -> float:
        """Return the seconds from the request until the job has finished."""
        headers = authorization | {"Content-Type": "text/csv"}
        start = time.perf_counter()
        job = running.call(f"{API}/items/{operation}", body, **headers)["id"]
        while (state := running.call(f"{API}/jobs/{job}", None, **authorization)["state"]) in (
            "queued",
            "running",
        ):
            time.sleep(0.02)
        if state != "succeeded":
            raise SystemExit(f"bench: the {operation} has {state}")
        return time.perf_counter() - start

    def loop(operation: str) -> float:
        done = subprocess.run(
            [
                sys.executable,
                str(Path(__file__).with_name("csv_loop.py")),
                operation,
                path,
                str(user),
            ],
            check=True,
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
            preexec_fn=lambda: pin(0, SERVER_CORE),
        )
        return float(done.stdout)

    content = make_csv(number)
    path = f"{FILES.name}/loop.csv"
    engine = create_engine(uri, isolation_level="AUTOCOMMIT")
    print(f"\nCSV files of {number} rows{'rows/s':>12}{'loop':>10}{'ratio':>8}{'more MiB':>10}")
    with engine.connect() as connection, running_worker(environment) as worker:

        def report(operation: str, body: bytes, before: Callable[[], Any]) -> None:
            # Measure the two alternately: other load on the machine changes over time.
            ours, plain = [], []
            memory = memory_mib(worker.pid)
            for _ in range(3):
                before()
                ours.append(run(operation, body))
                before()
                Path(path).write_bytes(content)
                plain.append(loop(operation))
            growth = memory_mib(worker.pid) - memory
            seconds, loop_seconds = min(ours), min(plain)
            print(
                f"{operation:<26}{number / seconds:>12.0f}{number / loop_seconds:>10.0f}"
                f"{loop_seconds / seconds:>8.2f}{growth:>10.0f}",
                flush=True,
            )

        def delete() -> None:
            connection.execute(text("DELETE FROM item WHERE owner_id = :user"), {"user": user})
            connection.execute(text("VACUUM item"))

        # The first jobs open connections and load modules.
        run("import", make_csv(1000))
        run("export")
        pin_database(connection)
        report("import", content, delete)
        report("export", b"", lambda: None)
    engine.dispose()


def memory_mib(pid: int) -> float:
    """Return the memory of a process and its children."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    pages = [int(Path(f"/proc/{each}/statm").read_text().split()[1]) for each in (pid, *children)]
    return sum(pages) * resource.getpagesize() / 2**20


def make_csv(number: int) -> bytes:
    output = io.StringIO()
    writer = csv.writer(output)
    writer.writerow(["title", "description"])
    writer.writerows(
        (f"Title {n}", f"A description of {n}, in a file. " * 2) for n in range(number)
    )
    return output.getvalue().encode()
