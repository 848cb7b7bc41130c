"""The proxy: Traefik's configuration, with the routes that the containers have."""

import json
from collections.abc import Mapping

from settings import STATE, read_ports

# YAML by name, since Traefik goes by the ending; JSON is YAML.
STATIC = STATE / "traefik.yml"
ROUTES = STATE / "traefik-routes.yml"


def command(_: Mapping[str, str]) -> list[str]:
    write(read_ports())
    return ["traefik", f"--configfile={STATIC.name}"]


def write(ports: Mapping[str, int]) -> None:
    def local(name: str) -> dict[str, str]:
        return {"address": f"127.0.0.1:{ports[name]}"}

    static = {
        "global": {"checkNewVersion": False, "sendAnonymousUsage": False},
        "entryPoints": {"web": local("proxy"), "traefik": local("dashboard")},
        "api": {"insecure": True},
        "ping": {},
        "providers": {"file": {"filename": ROUTES.name}},
    }
    backend = " || ".join(f"PathPrefix(`{path}`)" for path in ("/api", "/docs", "/redoc"))
    routes = {
        "http": {
            "routers": {
                "backend": {"rule": backend, "service": "backend"},
                # Until there is a page.
                "root": {"rule": "Path(`/`)", "service": "noop@internal", "middlewares": ["to-docs"]},
            },
            "middlewares": {"to-docs": {"redirectRegex": {"regex": "/$", "replacement": "/docs"}}},
            "services": {"backend": {"loadBalancer": {"servers": [{"url": f"http://127.0.0.1:{ports['backend']}"}]}}},
        }
    }
    STATIC.write_text(json.dumps(static, indent=2))
    ROUTES.write_text(json.dumps(routes, indent=2))
