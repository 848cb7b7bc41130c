# shellcheck shell=sh
# For the scripts beside it, which source it from the project's folder.
# compose ARGUMENT...: Docker Compose, as a plugin of docker or as the hyphenated command.

if docker compose version >/dev/null 2>&1; then
  compose() { docker compose "$@"; }
elif docker-compose version --short 2>/dev/null | grep -Eq '^v?([2-9]|[1-9][0-9])\.'; then
  compose() { docker-compose "$@"; }
else
  echo "Docker Compose 2.24 or newer is needed, as \"docker compose\" or \"docker-compose\"; the old 1.29 can't read these files." >&2
  exit 1
fi

if ! docker info >/dev/null 2>&1; then
  echo "Docker does not answer: start it, or see whether you may use it (\"docker info\" says why not)." >&2
  echo "Without Docker: sh ./scripts/native.sh up" >&2
  exit 1
fi

# project KIND: a project name of this folder's own, so that a test's stack is no other's.
project() {
  basename "$PWD" | tr '[:upper:]' '[:lower:]' | tr -cd 'a-z0-9_-' | sed "s/^/$1-/"
}
