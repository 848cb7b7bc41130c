"""The proxy: Traefik with the configuration in traefik/. Its routes are the same as in the containers."""

from string import Template
from urllib.parse import urlsplit

from settings import RUN, SCRIPTS, Env, read_ports


def local_hosts(env: Env) -> list[str]:
    """Return the host names that the stack accepts.

    It rejects others, because a website could let its own name point to this machine (DNS rebinding).
    """
    domains = [env.get("DOMAIN", ""), *(value for name, value in env.items() if name.startswith("VUE_APP_DOMAIN_"))]
    names = {urlsplit(f"//{domain}").hostname or "localhost" for domain in domains}
    return sorted({"localhost", "127.0.0.1", *names})


def command(env: Env) -> list[str]:
    values = {
        **{name: str(port) for name, port in read_ports().items()},
        "hosts": " || ".join(f"Host(`{host}`)" for host in local_hosts(env)),
    }
    for file in (SCRIPTS / "traefik").iterdir():
        (RUN / file.name).write_text(Template(file.read_text()).substitute(values))
    return ["traefik", "--configfile=traefik.yml"]
