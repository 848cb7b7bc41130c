"""The proxy: Traefik's configuration, with the routes that the containers have."""

import json
from collections.abc import Mapping
from typing import Any

import frontend
from settings import RUN, read_ports

# YAML by name, since Traefik goes by the ending; JSON is YAML.
STATIC = RUN / "traefik.yml"
ROUTES = RUN / "traefik-routes.yml"

# As in docker-compose.yml. PathPrefix(`/api`) would also match /api-keys, a path of the frontend.
BACKEND_RULE = "PathRegexp(`^/(api|docs|redoc)(/|$)`)"


def command(env: Mapping[str, str]) -> list[str]:
    write(read_ports(), compress=frontend.shows_build(env))
    return ["traefik", f"--configfile={STATIC.name}"]


def write(ports: Mapping[str, int], *, compress: bool) -> None:
    def local(name: str) -> dict[str, str]:
        return {"address": f"127.0.0.1:{ports[name]}"}

    def server(name: str) -> dict[str, Any]:
        return {"loadBalancer": {"servers": [{"url": f"http://127.0.0.1:{ports[name]}"}]}}

    static = {
        "global": {"checkNewVersion": False, "sendAnonymousUsage": False},
        "entryPoints": {"web": local("proxy"), "traefik": local("dashboard")},
        "api": {"insecure": True},
        "ping": {},
        "providers": {"file": {"filename": ROUTES.name}},
    }
    # As production's nginx does; Vite's development server has no use for it.
    compressed = {"middlewares": ["compress"]} if compress else {}
    routes = {
        "http": {
            "routers": {
                "backend": {"rule": BACKEND_RULE, "service": "backend", "priority": 2},
                "frontend": {"rule": "PathPrefix(`/`)", "service": "frontend", "priority": 1, **compressed},
            },
            "middlewares": {"compress": {"compress": {}}},
            "services": {"backend": server("backend"), "frontend": server("frontend")},
        }
    }
    STATIC.write_text(json.dumps(static, indent=2))
    ROUTES.write_text(json.dumps(routes, indent=2))
