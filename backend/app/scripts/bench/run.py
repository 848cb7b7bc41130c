"""The benchmark: one server process on one core, the load and PostgreSQL on another.

Compare results by CPU time per request, which hardly depends on other load on the machine.
"""

import argparse
import json
import os
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from statistics import median
from urllib.parse import urlencode

from accounts import report_accounts
from csv_files import report_csv_files
from events import report_events
from jobs import report_jobs
from load import CONNECTIONS, LOAD_CORE, SERVER_CORE, Case, Result, Server, pin
from subjects import BACKEND, PASSWORD, application, checkout, server

from app.core.security import get_password_hash, verify_password

CASES = (
    Case("users/me", "/users/me"),
    Case("one item", "/items/ID"),
    Case("10 of 100 items", "/items/?limit=10"),
    Case("100 of 100 items", "/items/?limit=100"),
    Case("10 of 100,000 items", "/items/?limit=10", "large"),
    Case("100 of 100,000 items", "/items/?limit=100", "large"),
    Case("search 100,000 items", "/items/?limit=10&q=99+9", "large"),
    Case(
        "POST item",
        "/items/",
        "writer",
        "POST",
        json.dumps({"title": "A title", "description": "A description"}),
    ),
    Case("PUT item", "/items/ID", "writer", "PUT", json.dumps({"title": "Another title"})),
    Case(
        "login",
        "/login/access-token",
        method="POST",
        body=urlencode({"username": "small@example.com", "password": PASSWORD}),
    ),
)


def report_logins(server: Server, seconds: int) -> None:
    """Print what many logins at once cost. To see the peak of memory, run this first."""
    login, me = CASES[-1], CASES[0]
    server.load(me, 1)
    memory = server.totals()["memory_mib"]
    # Other load on the machine changes over time, so measure the two rates alternately.
    rates = [(verifications_per_second(1), server.measure(login, seconds)) for _ in range(3)]
    verifications = median(rate for rate, _ in rates)
    logins = median(result.requests_per_second for _, result in rates)
    alone = server.load(me, seconds, connections=1)["p99"]
    with ThreadPoolExecutor() as pool:
        others = pool.submit(server.load, login, seconds + 2)
        time.sleep(1)
        beside = server.load(me, seconds, connections=1)["p99"]
        others.result()
    growth = max(0, server.totals()["peak_mib"] - memory)
    print(
        f"{CONNECTIONS} clients log in at once: {logins:.1f}/s, {logins / verifications:.0%} of"
        f" {verifications:.1f} verifications/s in a loop; {growth:.0f} MiB more memory;"
        f"\np99 of users/me for another client: {beside:.1f} ms, {beside / alone:.1f} times the"
        f" {alone:.1f} ms without logins\n",
        flush=True,
    )


def verifications_per_second(seconds: int) -> float:
    """Return how often the server's core verifies a password, while the server is idle."""
    hashed, cores = get_password_hash(PASSWORD), os.sched_getaffinity(0)
    pin(0, SERVER_CORE)
    count, start = 0, time.perf_counter()
    while (duration := time.perf_counter() - start) < seconds:
        verify_password(PASSWORD, hashed)
        count += 1
    os.sched_setaffinity(0, cores)
    return count / duration


def report(seconds: int, rounds: int) -> None:
    with (
        application("now", BACKEND) as (ours, uri),
        server("floor:app", BACKEND, uri) as floor,
    ):
        report_logins(ours, seconds)
        floor.users = ours.users
        heads = ("requests/s", "p50 ms", "p99 ms", "CPU ms", "queries", "hops", "MiB")
        print(f"{'':<22}" + "".join(f"{head:>11}" for head in heads) + "   floor CPU ms  ratio")
        for case in CASES:
            ours.measure(case, 1)  # The first requests open connections and fill caches.
            result = ours.measure(case, seconds)
            floor.measure(case, 1)
            least = floor.measure(case, seconds)
            print(
                f"{case.name:<22}{result.requests_per_second:>11.0f}{result.p50_ms:>11.1f}"
                f"{result.p99_ms:>11.1f}{result.cpu_ms:>11.2f}{result.queries:>11.2f}"
                f"{result.hops:>11.2f}{result.memory_mib:>11.0f}"
                f"{least.cpu_ms:>15.2f}{result.cpu_ms / least.cpu_ms:>7.1f}",
                flush=True,
            )
        report_jobs(ours, uri, seconds, rounds)
        report_csv_files(ours, uri, 100_000 if seconds > 1 else 20_000)
        report_events(ours, uri, seconds, rounds)
        report_accounts(ours, uri, seconds)


def compare(commit: str, seconds: int, rounds: int) -> None:
    with ExitStack() as stack:
        other = stack.enter_context(checkout(commit))
        then, _ = stack.enter_context(application("then", other))
        now, uri = stack.enter_context(application("now", BACKEND))
        print(f"CPU ms per request, median of {rounds} interleaved runs")
        print(f"{'':<22}{commit[:12]:>14}{'now':>10}{'ratio':>10}{'queries':>16}")
        for case in CASES:
            results: dict[Server, list[Result]] = {then: [], now: []}
            for each in results:
                each.measure(case, 1)
            for number in range(rounds):
                # Alternate the order, in case the first measurement affects the second.
                for each in (then, now) if number % 2 else (now, then):
                    results[each].append(each.measure(case, seconds))
            before, after = (median(r.cpu_ms for r in each) for each in results.values())
            queries = " -> ".join(f"{each[-1].queries:.2f}" for each in results.values())
            print(
                f"{case.name:<22}{before:>14.3f}{after:>10.3f}{after / before:>10.3f}{queries:>16}",
                flush=True,
            )
        report_jobs(now, uri, seconds, rounds)
        report_csv_files(now, uri, 100_000 if seconds > 1 else 20_000)
        report_events(now, uri, seconds, rounds)
        report_accounts(now, uri, seconds)


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.sh", description=__doc__)
    parser.add_argument("--compare", metavar="COMMIT", help="print CPU time as a ratio to a commit")
    parser.add_argument(
        "--seconds", type=int, help="seconds per measurement (default: 3, with --compare: 2)"
    )
    parser.add_argument(
        "--rounds",
        type=int,
        default=5,
        help="measurements of each version, with --compare, and of jobs (default: 5)",
    )
    args = parser.parse_args()
    print(
        f"{CONNECTIONS} connections; server on core {SERVER_CORE}, load on core {LOAD_CORE}",
        flush=True,
    )
    if args.compare:
        compare(args.compare, args.seconds or 2, args.rounds)
    else:
        report(args.seconds or 3, args.rounds)


if __name__ == "__main__":
    main()
