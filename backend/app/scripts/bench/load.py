"""Runs wrk on one core, against a server on another core."""

import json
import os
import subprocess
import tempfile
import time
from dataclasses import dataclass
from typing import Any
from urllib.request import Request, urlopen

API = "/api/v1"
CONNECTIONS = 32
if not hasattr(os, "sched_getaffinity") or len(os.sched_getaffinity(0)) < 2:
    raise SystemExit("bench: needs Linux and at least two cores, one of them only for the server")
SERVER_CORE, LOAD_CORE = sorted(os.sched_getaffinity(0))[:2]

SCRIPT = """\
wrk.method = {method}
wrk.body = {body}
for name, value in pairs({headers}) do wrk.headers[name] = value end
local path, low, high = {path}, {low}, {high}
request = function() return wrk.format(nil, (path:gsub("ID", math.random(low, high)))) end
done = function(summary, latency)
  local errors = summary.errors
  io.write(string.format('\\n{{"requests": %d, "seconds": %f, "errors": %d, "p50": %f, "p99": %f}}',
    summary.requests, summary.duration / 1e6,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3))
end
"""


@dataclass(frozen=True)
class Case:
    """One row of the report. ID in the path stands for the id of a random item of the user."""

    name: str
    path: str
    user: str = "small"
    method: str = "GET"
    body: str = ""

    @property
    def content_type(self) -> str:
        kind = "json" if self.body.startswith("{") else "x-www-form-urlencoded"
        return f"application/{kind}"


@dataclass(frozen=True)
class Result:
    requests_per_second: float
    p50_ms: float
    p99_ms: float
    cpu_ms: float
    queries: float
    hops: float
    memory_mib: float


@dataclass(frozen=True)
class User:
    id: int
    token: str
    first_item: int
    last_item: int


class Server:
    """A running application, and the users in its database."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.users: dict[str, User] = {}

    def call(self, path: str, data: bytes | None = None, **headers: str) -> Any:
        with urlopen(Request(self.url + path, data, headers), timeout=60) as response:
            return json.load(response)

    def totals(self) -> dict[str, float]:
        """Return the counters of measured.py once no request is being served."""
        while (totals := self.call("/bench"))["active"] > 1:  # The lifespan call counts as one.
            time.sleep(0.05)
        return dict(totals)

    def measure(self, case: Case, seconds: int) -> Result:
        before = self.totals()
        load = self.load(case, seconds)
        after = self.totals()
        requests = after["requests"] - before["requests"]
        return Result(
            requests_per_second=load["requests"] / load["seconds"],
            p50_ms=load["p50"],
            p99_ms=load["p99"],
            cpu_ms=1000 * (after["cpu_seconds"] - before["cpu_seconds"]) / requests,
            queries=(after["queries"] - before["queries"]) / requests,
            hops=(after["hops"] - before["hops"]) / requests,
            memory_mib=after["memory_mib"],
        )

    def load(self, case: Case, seconds: int, connections: int = CONNECTIONS) -> dict[str, float]:
        user = self.users[case.user]
        headers = {
            "Authorization": f"Bearer {user.token}",
            "X-User-Id": str(user.id),
            "Content-Type": case.content_type,
        }
        with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
            script.write(
                SCRIPT.format(
                    method=json.dumps(case.method),
                    body=json.dumps(case.body),
                    headers="{" + ",".join(f'["{k}"]="{v}"' for k, v in headers.items()) + "}",
                    path=json.dumps(API + case.path),
                    low=user.first_item,
                    high=user.last_item,
                )
            )
            script.flush()
            options = [f"--connections={connections}", "--threads=1", f"--duration={seconds}s"]
            output = subprocess.run(
                ["wrk", *options, "--timeout=60s", f"--script={script.name}", self.url],
                check=True,
                capture_output=True,
                text=True,
                preexec_fn=lambda: pin(0, LOAD_CORE),
            ).stdout
        load = dict(json.loads(output.splitlines()[-1]))
        if load["errors"]:
            raise SystemExit(f"bench: {case.name}: {load['errors']} requests failed")
        return load


def pin(process: int, core: int) -> None:
    os.sched_setaffinity(process, {core})
