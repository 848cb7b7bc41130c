"""Compares the response times for known and unknown emails, which must not reveal users."""

import os
import random
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from math import sqrt
from statistics import median
from urllib.parse import urlsplit

from load import API, LOAD_CORE, Case, Server, pin
from sqlalchemy import create_engine, text

# A case ends after so many pairs, or after so many times --seconds.
PAIRS = 1000
TIMES = 4
# The quantile of the normal distribution for intervals of 95 %.
Z = 1.96

# The cases and the status of their responses. EMAIL stands for the email.
CASES = {
    Case(
        "login, wrong password",
        "/login/access-token",
        method="POST",
        body="username=EMAIL&password=wrong",
    ): 400,
    Case("password recovery", "/password-recovery/EMAIL", method="POST"): 202,
    Case(
        "email verification", "/email-verification/", method="POST", body='{"email": "EMAIL"}'
    ): 202,
    # The last case, because it registers the unknown emails.
    Case(
        "sign-up",
        "/users/open",
        method="POST",
        body='{"email": "EMAIL", "password": "another password of the benchmark"}',
    ): 202,
}


def report_accounts(server: Server, uri: str, seconds: int) -> None:
    create_accounts(uri)
    print("\nKnown and unknown emails in pairs, with 95 % intervals")
    print(f"{'':<22}{'pairs':>7}{'unknown ms':>12}{'known slower by µs':>28}{'in % of pairs':>22}")
    cores = os.sched_getaffinity(0)
    pin(0, LOAD_CORE)
    for case, status in CASES.items():
        pairs = list(measure_pairs(server, case, status, TIMES * seconds))
        differences = [1e6 * (known - unknown) for known, unknown in pairs]
        low, high = median_interval(differences)
        slower = sum(difference > 0 for difference in differences)
        least, most = share_interval(slower, len(pairs))
        print(
            f"{case.name:<22}{len(pairs):>7}{1000 * median(u for _, u in pairs):>12.2f}"
            f"{median(differences):>+12.0f} ({low:+.0f} to {high:+.0f})".ljust(70)
            + f"{slower / len(pairs):>8.0%} ({least:.0%} to {most:.0%})",
            flush=True,
        )
    os.sched_setaffinity(0, cores)


def create_accounts(uri: str) -> None:
    """Create the known users, with the password of another user."""
    engine = create_engine(uri, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(
            text(
                'INSERT INTO "user" (email, hashed_password, is_active, is_superuser)'
                " SELECT 'known-' || n || '@example.com', hashed_password, true, false"
                " FROM \"user\", generate_series(1, :pairs) AS n WHERE email = 'small@example.com'"
            ),
            {"pairs": PAIRS},
        )
        # Otherwise, the first query for each new row would also have to check its transaction.
        connection.execute(text("VACUUM ANALYZE"))
    engine.dispose()


def measure_pairs(
    server: Server, case: Case, status: int, duration: int
) -> Iterator[tuple[float, float]]:
    """Yield the seconds of a request with a known email, and of one with an unknown email.

    Each pair has its own emails and address, so that it stays below the limits on attempts.
    """
    connection = HTTPConnection(urlsplit(server.url).netloc, timeout=60)
    end = time.monotonic() + duration
    for number in range(1, PAIRS + 1):
        if time.monotonic() > end:
            break
        headers = {
            "Content-Type": case.content_type,
            "X-Forwarded-For": f"2001:db8:0:{number}::1",
        }
        seconds = {}
        # In random order, because the first request of a pair affects the second.
        for account in random.sample(("known", "other"), 2):
            email = f"{account}-{number}@example.com"
            path, body = (part.replace("EMAIL", email) for part in (case.path, case.body))
            start = time.perf_counter()
            connection.request(case.method, API + path, body, headers)
            response = connection.getresponse()
            response.read()
            seconds[account] = time.perf_counter() - start
            if response.status != status:
                raise SystemExit(f"bench: {case.name}: status {response.status}, not {status}")
        yield seconds["known"], seconds["other"]
    connection.close()


def median_interval(values: list[float]) -> tuple[float, float]:
    """Return the interval of the median, from the ranks of the sign test."""
    rank = max(1, int((len(values) - Z * sqrt(len(values))) / 2))
    ordered = sorted(values)
    return ordered[rank - 1], ordered[-rank]


def share_interval(count: int, total: int) -> tuple[float, float]:
    """Return Wilson's interval of a share."""
    share, correction = count / total, Z**2 / total
    centre, scale = share + correction / 2, 1 + correction
    spread = Z * sqrt((share * (1 - share) + correction / 4) / total)
    return (centre - spread) / scale, (centre + spread) / scale
