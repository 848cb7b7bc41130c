"""The proxy: Traefik's configuration, with the routes that the containers have."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import frontend
from settings import RUN, read_ports

# YAML by name, since Traefik goes by the ending; JSON is YAML.
STATIC = RUN / "traefik.yml"
ROUTES = RUN / "traefik-routes.yml"

# As in docker-compose.yml. PathPrefix(`/api`) would also match /api-keys, a path of the frontend.
BACKEND_RULE = "PathRegexp(`^/(api|docs|redoc)(/|$)`)"


def local_hosts(env: Mapping[str, str]) -> list[str]:
    """Return the names that lead here. A website may let its own name lead to this machine, too."""
    domains = [env.get("DOMAIN", ""), *(value for name, value in env.items() if name.startswith("VUE_APP_DOMAIN_"))]
    names = {urlsplit(f"//{domain}").hostname or "localhost" for domain in domains}
    return sorted({"localhost", "127.0.0.1", *names})


def command(env: Mapping[str, str]) -> list[str]:
    write(read_ports(), local_hosts(env), compress=frontend.shows_build(env))
    return ["traefik", f"--configfile={STATIC.name}"]


def write(ports: Mapping[str, int], hosts: list[str], *, compress: bool) -> None:
    def local(name: str) -> dict[str, str]:
        return {"address": f"127.0.0.1:{ports[name]}"}

    def server(name: str) -> dict[str, Any]:
        return {"loadBalancer": {"servers": [{"url": f"http://127.0.0.1:{ports[name]}"}]}}

    static = {
        "global": {"checkNewVersion": False, "sendAnonymousUsage": False},
        "entryPoints": {"web": local("proxy"), "traefik": local("dashboard")},
        "api": {},
        "ping": {},
        # Shorter than the servers' 5 seconds: a request on a connection that the server closes would be a 502.
        "serversTransport": {"forwardingTimeouts": {"idleConnTimeout": "3s"}},
        "providers": {"file": {"filename": ROUTES.name}},
    }
    # As production's nginx does; Vite's development server has no use for it.
    compressed = {"middlewares": ["compress"]} if compress else {}
    web = {"entryPoints": ["web"]}
    is_local = f"({' || '.join(f'Host(`{host}`)' for host in hosts)})"
    routes = {
        "http": {
            "routers": {
                "backend": {"rule": f"{is_local} && {BACKEND_RULE}", "service": "backend", "priority": 2, **web},
                # Vite rejects other names itself.
                "frontend": {"rule": "PathPrefix(`/`)", "service": "frontend", "priority": 1, **web, **compressed},
                "dashboard": {
                    "rule": is_local,
                    "service": "api@internal",
                    "entryPoints": ["traefik"],
                    "middlewares": ["dashboard"],
                },
            },
            "middlewares": {
                "compress": {"compress": {}},
                "dashboard": {"redirectRegex": {"regex": "^([^/]+//[^/]+)/$", "replacement": "${1}/dashboard/"}},
            },
            "services": {"backend": server("backend"), "frontend": server("frontend")},
        }
    }
    STATIC.write_text(json.dumps(static, indent=2))
    ROUTES.write_text(json.dumps(routes, indent=2))
