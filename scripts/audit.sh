#!/bin/sh
# Reports known vulnerabilities of all locked packages:
#   audit.sh python   needs Python 3.11 with venv
#   audit.sh npm      needs npm
#   audit.sh check    checks that every lock file in git is listed here, and that both pipelines run the audits
set -eu
cd "$(dirname "$0")/.."

POETRY="backend/app scripts/native/pgadmin"
NPM="frontend scripts/native/browser scripts/native/lighthouse scripts/native/mailcatcher"
# python-jose installs ecdsa, whose authors will not fix this timing attack (Minerva, GHSA-wj6h-64fc-37mp).
# Only signing with ECDSA is affected. The project signs with HS256, and python-jose then never uses ecdsa.
IGNORED_PACKAGE=ecdsa
IGNORED=CVE-2024-23342

fail() {
  echo "audit.sh: $*" >&2
  status=1
}

audit_python() {
  tools=$(mktemp -d)
  trap 'rm -rf "$tools"' EXIT
  python3 -m venv "$tools"
  "$tools/bin/pip" install --quiet "pip-audit>=2.10,<3"
  for folder in $POETRY; do
    echo "== $folder/poetry.lock"
    python3 backend/app/scripts/requirements.py "$folder" >"$tools/requirements.txt"
    # Audit only the listed packages, not those that are installed on this machine.
    "$tools/bin/pip-audit" --strict --require-hashes --disable-pip --ignore-vuln "$IGNORED" \
      --requirement "$tools/requirements.txt" || status=1
  done
}

audit_npm() {
  for folder in $NPM; do
    echo "== $folder/package-lock.json"
    # Skip build tools: most of their vulnerabilities can be used only by the project's own developers.
    (cd "$folder" && npm audit --omit=dev) || status=1
  done
}

check() {
  named=
  for folder in $POETRY; do named="$named $folder/poetry.lock"; done
  for folder in $NPM; do named="$named $folder/package-lock.json"; done
  in_git=$(git ls-files '*.lock' '*-lock.*' '*.lockb' '*shrinkwrap.json' '*requirements*.txt')
  for lock in $in_git; do
    case " $named " in
      *" $lock "*) ;;
      *) fail "add $lock to the lists in this file." ;;
    esac
  done
  for lock in $named; do
    [ -f "$lock" ] || fail "$lock does not exist."
  done
  for pipeline in .gitlab-ci.yml .github/workflows/ci.yml; do
    for kind in python npm; do
      grep -q "^ *- .*sh \./scripts/audit\.sh $kind\$" "$pipeline" || fail "$pipeline does not run \"sh ./scripts/audit.sh $kind\"."
    done
  done
  grep -q "^name = \"$IGNORED_PACKAGE\"\$" backend/app/poetry.lock ||
    fail "$IGNORED_PACKAGE is no longer installed: remove IGNORED and IGNORED_PACKAGE."
}

status=0
case ${1:-} in
  python) audit_python ;;
  npm) audit_npm ;;
  check) check ;;
  *) fail "expected an argument: python, npm or check" ;;
esac
exit "$status"
