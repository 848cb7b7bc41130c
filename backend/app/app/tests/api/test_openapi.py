"""Send random requests to all endpoints. The responses must match the OpenAPI schema."""

from typing import Any

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

from app.core.config import settings
from app.main import app
from app.models import User
from app.tests.utils.user import auth_headers

schema = schemathesis.openapi.from_asgi(f"{settings.API_V1_STR}/openapi.json", app)

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


# The schema describes an event, and a stream of an unfinished job has no end.
@schema.exclude(path_regex="/events$").parametrize()
@hypothesis_settings(
    max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_responses_are_documented(
    case: schemathesis.Case[Any], connection: Connection, superuser: User
) -> None:
    # Roll back each request, because it may change the superuser's password.
    with connection.begin_nested() as savepoint:
        case.call_and_validate(headers=auth_headers(superuser), checks=CHECKS)
        savepoint.rollback()
