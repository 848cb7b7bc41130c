"""The API against its own schema: every endpoint, with many odd requests."""

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from sqlalchemy import Connection
from sqlalchemy.orm import Session

from app import crud
from app.core.config import settings
from app.core.security import create_access_token
from app.main import app

schema = schemathesis.openapi.from_asgi(f"{settings.API_V1_STR}/openapi.json", app)

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


@pytest.fixture
def headers(db: Session) -> dict[str, str]:
    superuser = crud.user.get_by_email(db, email=settings.FIRST_SUPERUSER)
    assert superuser is not None
    token = create_access_token(superuser.id, password_hash=superuser.hashed_password)
    return {"Authorization": f"Bearer {token}"}


@schema.parametrize()
@hypothesis_settings(
    max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_every_answer_is_a_promised_one(
    case: schemathesis.Case[Any], connection: Connection, headers: dict[str, str]
) -> None:
    # Each request is undone: one may change the superuser's password.
    with connection.begin_nested() as savepoint:
        case.call_and_validate(headers=headers, checks=CHECKS)
        savepoint.rollback()
