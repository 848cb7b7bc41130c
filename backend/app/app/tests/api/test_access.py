"""Who may call which endpoint. Every endpoint has a rule, also those of new resources."""

import sys
from collections.abc import Set
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import pytest
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app import crud
from app.api.api_v1.api import api_routers
from app.api.session_tokens import COOKIE, refresh_token
from app.core.config import settings
from app.crud.base import CRUDOwned
from app.main import app
from app.models import User
from app.sample_values import create_schema
from app.tests.utils.jobs import create_job_with_file
from app.tests.utils.user import auth_headers, create_random_user, start_session
from app.tests.utils.utils import random_email, random_lower_string
from app.utils import generate_mailed_token, generate_password_reset_token

API = settings.API_V1_STR
PASSWORD = "the right password"

# Each request is about the owner's data: the owner's account, session or row.
ACTIVE = {"owner", "other", "superuser"}
REJECTED = {
    "nobody": (401, "not_authenticated"),
    # These two callers are superusers, who otherwise may do the most.
    "ended session": (401, "invalid_token"),
    "inactive": (403, "inactive_user"),
}
CALLERS = [*REJECTED, *sorted(ACTIVE)]


@dataclass(frozen=True)
class Rule:
    """The callers who may call an endpoint, and the response to other active users."""

    allowed: Set[str]
    otherwise: tuple[int, str] = (0, "")

    def rejection(self, caller: str) -> tuple[int, str] | None:
        return None if caller in self.allowed else REJECTED.get(caller, self.otherwise)


EVERYONE = Rule({*CALLERS})
ACTIVE_USERS = Rule(ACTIVE)
OWNER_AND_SUPERUSERS = Rule({"owner", "superuser"}, (403, "permission_denied"))
READERS_OF_USER = Rule({"owner", "superuser"}, (403, "superuser_required"))
ONLY_OWNER = Rule({"owner"}, (404, "not_found"))
SUPERUSERS = Rule({"superuser"}, (403, "superuser_required"))
READERS_OF_INTERNAL_ROWS = Rule({"superuser"}, (403, "permission_denied"))

# The endpoints that do not have the path of a resource. Add yours.
RULES = {
    "POST /login/access-token": EVERYONE,
    # Only the cookie matters, and every request of this test has one.
    "POST /login/refresh": EVERYONE,
    "POST /login/logout": EVERYONE,
    "POST /login/test-token": ACTIVE_USERS,
    "POST /password-recovery/{email}": EVERYONE,
    "POST /email-verification/": EVERYONE,
    "POST /verify-email/": EVERYONE,
    "POST /reset-password/": EVERYONE,
    "GET /audit/": SUPERUSERS,
    "GET /dashboard/": ACTIVE_USERS,
    "GET /jobs/": ACTIVE_USERS,
    "GET /jobs/{id}": OWNER_AND_SUPERUSERS,
    "GET /jobs/{id}/events": OWNER_AND_SUPERUSERS,
    "GET /jobs/{id}/file": OWNER_AND_SUPERUSERS,
    "GET /jobs/{id}/report": OWNER_AND_SUPERUSERS,
    "POST /jobs/{id}/cancel": OWNER_AND_SUPERUSERS,
    "GET /users/": SUPERUSERS,
    "POST /users/": SUPERUSERS,
    "GET /users/me": ACTIVE_USERS,
    "PUT /users/me": ACTIVE_USERS,
    "DELETE /users/me": ACTIVE_USERS,
    "GET /users/me/sessions": ACTIVE_USERS,
    "DELETE /users/me/sessions": ACTIVE_USERS,
    "DELETE /users/me/sessions/{id}": ONLY_OWNER,
    "GET /users/open": EVERYONE,
    "POST /users/open": EVERYONE,
    "GET /users/{user_id}": READERS_OF_USER,
    "PUT /users/{user_id}": SUPERUSERS,
    "DELETE /users/{user_id}": SUPERUSERS,
    "DELETE /users/{user_id}/sessions": SUPERUSERS,
    "POST /utils/test-celery/": SUPERUSERS,
    "POST /utils/test-email/": SUPERUSERS,
    "GET /utils/health/live": EVERYONE,
    "GET /utils/health/ready": EVERYONE,
}

OPERATIONS = [
    (method.upper(), path)
    for path, operations in app.openapi()["paths"].items()
    for method in operations
]
# The resources with an owner, by the prefix of their paths, such as /items.
RESOURCES: dict[str, CRUDOwned[Any, Any, Any]] = {
    router.prefix: rows
    for router in api_routers
    for route in router.routes
    if isinstance(route, APIRoute) and route.path == f"{router.prefix}/{{id}}"
    for rows in vars(sys.modules[route.endpoint.__module__]).values()
    if isinstance(rows, CRUDOwned) and rows.read_schema is route.response_model
}


def rule_of(method: str, path: str) -> Rule:
    prefix, _, rest = path.rpartition("/")
    operation = f"{method} {path}"
    if operation not in RULES and prefix in RESOURCES:
        match method, rest, RESOURCES[prefix].readers:
            case "GET", "" | "{id}", "superusers":
                return READERS_OF_INTERNAL_ROWS
            case (
                ("GET" | "POST", "", _)
                | ("POST", "import" | "export", _)
                | ("GET", "{id}", "users")
            ):
                return ACTIVE_USERS
            case "GET" | "PUT" | "PATCH" | "DELETE", "{id}", _:
                return OWNER_AND_SUPERUSERS
    if operation not in RULES:
        pytest.fail(f"add {operation} to RULES")
    return RULES[operation]


def create_row(db: Session, path: str, owner: User) -> Any:
    """Create a job or a row of the resource with this path, or else start a session."""
    if path.startswith("/jobs/"):
        if path.endswith("/cancel"):
            return crud.job.add(db, kind="test", owner_id=owner.id, arguments={})
        return create_job_with_file(db, owner)
    for prefix, rows in RESOURCES.items():
        if path.startswith(f"{prefix}/"):
            name = rows.model.__tablename__
            utils = import_module(f"app.tests.utils.{name}")
            return getattr(utils, f"create_random_{name}")(db, owner_id=owner.id)
    return start_session(owner)


def body_of_row(db: Session, path: str, owner: User) -> dict[str, Any]:
    """Return a valid body to create such a row. Unique values are not in use."""
    rows = RESOURCES[path.removesuffix("/")]
    row, schema = create_row(db, path, owner), create_schema(rows.model)
    assert schema is not None
    body = schema.model_validate(row, from_attributes=True).model_dump(mode="json")
    rows.remove(db, id=row.id)
    return body


def valid_input(db: Session, operation: str, owner: User, caller: User) -> dict[str, Any]:
    """Return the body or the query of a request that succeeds if the caller is allowed."""
    method, path = operation.split()
    match operation:
        case "POST /login/access-token":
            return {"data": {"username": owner.email, "password": PASSWORD}}
        case "POST /email-verification/":
            return {"json": {"email": owner.email}}
        case "POST /verify-email/":
            token = generate_mailed_token(owner, "change-email", email=random_email())
            return {"json": {"token": token}}
        case "POST /reset-password/":
            token = generate_password_reset_token(owner)
            return {"json": {"token": token, "new_password": random_lower_string()}}
        case "POST /users/" | "POST /users/open":
            return {"json": {"email": random_email(), "password": random_lower_string()}}
        case "DELETE /users/me":
            return {"json": {"current_password": PASSWORD}}
        case "POST /utils/test-celery/":
            return {"json": {"msg": "text"}}
        case "POST /utils/test-email/":
            return {"params": {"email_to": "a@example.com"}}
    if method == "POST" and path.removesuffix("/") in RESOURCES:
        return {"json": body_of_row(db, path, caller)}
    return {"json": {}}


@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize(("method", "full_path"), OPERATIONS)
def test_only_allowed_callers_are_accepted(
    db: Session, monkeypatch: pytest.MonkeyPatch, method: str, full_path: str, caller: str
) -> None:
    """Allowed callers succeed. For the others, the status and the code are exact."""
    path = full_path.removeprefix(API)
    monkeypatch.setattr(settings, "USERS_OPEN_REGISTRATION", True)
    owner = create_random_user(db, password=PASSWORD)
    is_superuser = caller not in ("owner", "other")
    user = create_random_user(db, password=PASSWORD, is_superuser=is_superuser)
    if caller == "owner":
        user = owner
    headers = {} if caller == "nobody" else auth_headers(user)
    if caller == "inactive":
        crud.user.update(db, db_obj=user, obj_in={"is_active": False})
    if caller == "ended session":
        crud.session.end(db, owner_id=user.id)
    # A refresh token must not replace an access token.
    headers["Cookie"] = f"{COOKIE}={refresh_token(start_session(owner))}"
    url = full_path
    if "{" in path:
        row = create_row(db, path, owner)
        url = full_path.format(id=row.id, user_id=owner.id, email=owner.email)
    request = valid_input(db, f"{method} {path}", owner, user)

    if path.endswith("/import"):
        request, headers = {"content": b""}, headers | {"Content-Type": "text/csv"}

    response = TestClient(app).request(method, url, headers=headers, **request)

    rejection = rule_of(method, path).rejection(caller)
    if rejection is None:
        assert response.is_success, response.text
    else:
        assert (response.status_code, response.json()["code"]) == rejection
