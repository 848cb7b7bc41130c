"""Error responses: each has a text, and a code that clients use to translate it."""

import json
import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal

import pytest
import schemathesis
from fastapi import Depends, FastAPI, HTTPException  # noqa: TID251  # a library may raise it
from fastapi.testclient import TestClient
from pydantic import BaseModel, Field

from app.api.errors import ERRORS, add_error_handlers, error_code
from app.api.exceptions import NotFound
from app.api.routing import APIRouter, raises
from app.core.config import settings
from app.crud.exceptions import EmailTaken
from app.main import app
from app.schemas.types import Email

API = settings.API_V1_STR


def app_including(router: APIRouter) -> FastAPI:
    small = FastAPI()
    add_error_handlers(small)
    small.include_router(router)
    return small


def documented_codes(schema: dict[str, Any], operation: dict[str, Any]) -> set[str]:
    """Return the error codes of an operation in OpenAPI. Every error must have a code."""
    codes = set()
    for status, response in operation["responses"].items():
        if int(status) >= 400:
            content = response["content"]["application/json"]["schema"]
            for each in content.get("anyOf", [content]):
                model = schema["components"]["schemas"][each["$ref"].rpartition("/")[2]]
                assert "code" in model["required"], model
                codes.add(model["properties"]["code"]["const"])
    return codes


@pytest.mark.parametrize("error", ERRORS)
def test_error_response_matches_documentation(error: type[Exception]) -> None:
    router = APIRouter()

    @router.get("/")
    @raises(error)
    def fail() -> None:
        raise error

    failing, expected = app_including(router), ERRORS[error]
    response = TestClient(failing).get("/")
    body = {"detail": expected.detail, "code": error_code(error)}
    assert response.status_code == expected.status
    assert response.json().items() >= body.items()
    assert response.json().get("field") == expected.field
    if expected.status == 401:
        assert response.headers["WWW-Authenticate"] == "Bearer"
    if expected.status == 503:
        assert response.headers["Retry-After"]
    schemathesis.openapi.from_dict(failing.openapi())["/"]["GET"].validate_response(response)
    assert error_code(error) in documented_codes(
        failing.openapi(), failing.openapi()["paths"]["/"]["get"]
    )


def test_error_codes_are_unique() -> None:
    codes = [error_code(error) for error in ERRORS]
    assert len(set(codes)) == len(codes)


def test_common_errors_are_documented() -> None:
    schema = app.openapi()
    for operations in schema["paths"].values():
        for operation in operations.values():
            expected = {"content_too_large", "internal_error"}
            if "security" in operation:
                expected |= {"not_authenticated", "invalid_token", "inactive_user", "server_busy"}
            assert expected <= documented_codes(schema, operation)


def test_errors_of_dependencies_are_documented() -> None:
    @raises(NotFound)
    def inner() -> None: ...

    @raises(EmailTaken)
    def outer(_: Annotated[None, Depends(inner)]) -> None: ...

    router = APIRouter()

    @router.get("/with")
    def endpoint(_: Annotated[None, Depends(outer)]) -> None: ...

    @router.get("/without")
    def other_endpoint() -> None: ...

    schema = app_including(router).openapi()
    documented = {
        path: documented_codes(schema, operations["get"])
        for path, operations in schema["paths"].items()
    }
    assert documented["/with"] - documented["/without"] == {"not_found", "email_taken"}


def test_not_found_names_the_resource() -> None:
    router = APIRouter()

    @router.get("/")
    def fail() -> None:
        raise NotFound("Parcel not found")

    response = TestClient(app_including(router)).get("/")
    assert response.json() == {"detail": "Parcel not found", "code": "not_found"}


@pytest.mark.parametrize("status", [400, 402, 404, 405, 414, 418, 429, 451, 499, 599])
def test_http_exceptions_get_a_code(status: int) -> None:
    router = APIRouter()

    @router.get("/")
    def fail() -> None:
        raise HTTPException(status, "A text", {"X-Header": "kept"})

    response = TestClient(app_including(router)).get("/")
    assert (response.status_code, response.json()["detail"]) == (status, "A text")
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", response.json()["code"])
    assert response.headers["X-Header"] == "kept"


@pytest.mark.parametrize(
    ("method", "path", "content", "status", "code"),
    [
        ("GET", "/nothing", "", 404, "not_found"),
        ("PATCH", "/users/open", "", 405, "method_not_allowed"),
        ("POST", "/users/open", "{", 422, "validation_error"),
        ("POST", "/users/open", b"\xff", 422, "validation_error"),
        ("POST", "/login/access-token", "&".join(["a=b"] * 3000), 422, "validation_error"),
        ("POST", "/reset-password/", "", 422, "validation_error"),
    ],
)
def test_framework_errors_get_a_code(
    client: TestClient, method: str, path: str, content: str | bytes, status: int, code: str
) -> None:
    kind = "x-www-form-urlencoded" if "login" in path else "json"
    headers = {"Content-Type": f"application/{kind}"}
    response = client.request(method, API + path, content=content, headers=headers)
    assert (response.status_code, response.json()["code"]) == (status, code)


class Cat(BaseModel):
    kind: Literal["cat"]


class Dog(BaseModel):
    kind: Literal["dog"]


class Order(BaseModel):
    price: Annotated[Decimal, Field(le=Decimal("9.99"))] = Decimal(1)
    places: Annotated[Decimal, Field(decimal_places=2)] = Decimal(1)
    day: Annotated[date, Field(ge=date(2020, 1, 1))] = date(2020, 1, 1)
    pet: Annotated[Cat | Dog, Field(discriminator="kind")] = Cat(kind="cat")
    colour: Literal["red", "blue"] = "red"
    postcode: Annotated[str, Field(pattern="^[0-9]*$")] = ""
    email: Email = "a@example.com"
    by_name: dict[str, int] = {}


@pytest.fixture(scope="module")
def order_client() -> Iterator[TestClient]:
    router = APIRouter()

    @router.post("/")
    def order(_: Order) -> None: ...

    with TestClient(app_including(router), headers={"Content-Type": "application/json"}) as client:
        yield client


@pytest.mark.parametrize(
    ("field", "value", "kind", "context"),
    [
        ("price", "10.5", "less_than_equal", {"le": 9.99}),
        ("places", "1.234", "decimal_max_places", {"decimal_places": 2}),
        ("day", "2019-01-01", "greater_than_equal", None),
        ("day", "canary", "date_from_datetime_parsing", None),
        ("pet", {"kind": "canary"}, "union_tag_invalid", None),
        ("colour", "canary", "literal_error", None),
        ("postcode", "canary", "string_pattern_mismatch", None),
        ("email", "canary", "email_invalid", None),
        ("email", "canary@-example.com", "email_invalid", None),
        ("email", "é@example.com", "email_not_ascii", None),
        pytest.param("email", "x" * 260, "string_too_long", {"max_length": 254}, id="long email"),
        ("by_name", {"a": "canary"}, "int_parsing", None),
        ("by_name", {"\ud800": "canary"}, "int_parsing", None),
    ],
)
def test_validation_errors_contain_limits_but_not_the_value(
    order_client: TestClient, field: str, value: object, kind: str, context: dict[str, float] | None
) -> None:
    """Clients need the type and the limits to translate. Other context may contain the value."""
    # Escape the content, because httpx can't send a lone surrogate.
    response = order_client.post("/", content=json.dumps({field: value}))
    assert response.status_code == 422
    assert response.json()["code"] == "validation_error"
    (problem,) = response.json()["detail"]
    assert (problem["type"], problem["loc"][:2]) == (kind, ["body", field])
    assert problem["msg"]
    assert problem.get("ctx") == context
    assert set(problem) <= {"type", "loc", "msg", "ctx"}
    if kind != "union_tag_invalid":  # The message of this error contains the tag.
        assert "canary" not in response.text
