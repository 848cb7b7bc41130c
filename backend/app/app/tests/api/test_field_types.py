"""Values of each type of column, from the request to the database and back."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal

import pytest
from fastapi.testclient import TestClient
from pydantic import Field, TypeAdapter
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.models import User
from app.schemas.types import ExactDecimal
from app.tests.utils.sample_note import SAMPLE_NOTES, create_random_note

DATES = [("2028-02-29", "2028-02-29"), ("0001-01-01", "0001-01-01"), ("9999-12-31", "9999-12-31")]
TIMES = [
    ("2026-11-27T10:30:00+03:00", "2026-11-27T07:30:00Z"),
    ("2026-11-27T10:30:00.123456Z", "2026-11-27T10:30:00.123456Z"),
    ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
    ("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z"),
]
DECIMALS = [
    ("1234.5", "1234.50"),
    ("99999999.99", "99999999.99"),
    ("-0.01", "-0.01"),
    (1234.5, "1234.50"),
    ("0", "0.00"),
]


@pytest.mark.parametrize(
    ("field", "value", "stored"),
    [
        *[("price", *each) for each in DECIMALS],
        ("rate", "0", "0.000000000"),
        ("rate", "12345678901.000000001", "12345678901.000000001"),
        *[("due_on", *each) for each in DATES],
        *[("starts_at", *each) for each in TIMES],
        ("stars", -(2**31), -(2**31)),
        ("stars", 2**31 - 1, 2**31 - 1),
        ("is_public", True, True),
        ("status", "done", "done"),
        ("code", "🦊", "🦊"),
        ("code", " a ", " a "),
        ("text", "", ""),
        ("text", " " * 9_999 + "a", " " * 9_999 + "a"),
    ],
)
def test_value_is_stored_exactly(
    user_client: TestClient, field: str, value: Any, stored: Any
) -> None:
    created = user_client.post(SAMPLE_NOTES, json={"title": "A title", field: value})
    assert created.status_code == 201
    assert created.json()[field] == stored
    url = f"{SAMPLE_NOTES}{created.json()['id']}"
    assert user_client.get(url).json()[field] == stored
    assert user_client.get(SAMPLE_NOTES).json()[0][field] == stored
    # The response is valid input.
    updated = user_client.put(url, json={field: stored})
    assert (updated.status_code, updated.json()[field]) == (200, stored)


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("title", "   ", "string_blank"),
        ("title", "\t\u00a0\r\n\u3000", "string_blank"),
        ("title", "", "string_too_short"),
        ("title", " \0", "string_pattern_mismatch"),
        ("text", " " * 10_000, "string_blank"),
        ("code", "\u2003", "string_blank"),
        ("price", "1.001", "decimal_max_places"),
        ("price", "100000000", "decimal_whole_digits"),
        ("price", "1e400", "decimal_max_digits"),
        ("price", "NaN", "finite_number"),
        ("price", "Infinity", "finite_number"),
        ("price", "1,5", "decimal_parsing"),
        ("price", "", "decimal_parsing"),
        ("due_on", "2026-02-29", "date_from_datetime_parsing"),
        ("due_on", "27.11.2026", "date_from_datetime_parsing"),
        ("starts_at", "2026-11-27T10:30:00", "timezone_aware"),
        ("starts_at", "0001-01-01T00:00:00+01:00", "datetime_out_of_range"),
        ("starts_at", "9999-12-31T23:59:59-01:00", "datetime_out_of_range"),
        ("starts_at", "later", "datetime_from_date_parsing"),
        ("stars", 2**31, "less_than_equal"),
        ("stars", -(2**31) - 1, "greater_than_equal"),
        ("stars", "1.5", "int_parsing"),
        ("is_public", None, "bool_type"),
        ("status", "new", "literal_error"),
        ("status", None, "literal_error"),
        ("code", "", "string_too_short"),
        ("next_id", 0, "greater_than_equal"),
        ("next_id", 2**31, "less_than_equal"),
    ],
)
def test_invalid_value_is_422(
    user_client: TestClient, db: Session, user: User, field: str, value: Any, problem: str
) -> None:
    note = create_random_note(db, owner_id=user.id)
    for method, url in (("POST", SAMPLE_NOTES), ("PUT", f"{SAMPLE_NOTES}{note.id}")):
        response = user_client.request(method, url, json={"title": "A title", field: value})
        assert response.status_code == 422, method
        (found,) = response.json()["detail"]
        assert (found["type"], found["loc"]) == (problem, ["body", field])


@pytest.mark.parametrize("mode", ["validation", "serialization"])
def test_limits_of_decimals_are_documented(mode: Literal["validation", "serialization"]) -> None:
    """The web app derives its rules from them."""
    limited = Annotated[
        ExactDecimal, Field(max_digits=5, decimal_places=2, ge=0, le=Decimal("9.5"))
    ]
    schema = TypeAdapter(limited).json_schema(mode=mode)
    pattern = schema.pop("pattern")
    assert schema == {
        "type": "string",
        "format": "decimal",
        "maxDigits": 5,
        "decimalPlaces": 2,
        "minimum": 0,
        "maximum": 9.5,
    }
    for number in ("-999.99", "1"):
        assert re.fullmatch(pattern, number)
    for number in ("1000", "1.001", "1."):
        assert not re.fullmatch(pattern, number)


@pytest.mark.parametrize(("digits", "places", "number"), [(3, 0, "123"), (2, 2, "0.99")])
def test_pattern_of_decimals_without_a_part(digits: int, places: int, number: str) -> None:
    limited = Annotated[ExactDecimal, Field(max_digits=digits, decimal_places=places)]
    assert re.fullmatch(TypeAdapter(limited).json_schema()["pattern"], number)


def test_defaults_are_those_of_the_schema(user_client: TestClient) -> None:
    created = user_client.post(SAMPLE_NOTES, json={"title": "A title"}).json()
    defaults = {"status": "open", "stars": 1, "is_public": False, "price": None, "due_on": None}
    assert created.items() >= defaults.items()


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_unique_value_is_409(user_client: TestClient, db: Session, user: User, method: str) -> None:
    create_random_note(db, code="taken")
    note = create_random_note(db, owner_id=user.id, code="own")
    url = SAMPLE_NOTES if method == "POST" else f"{SAMPLE_NOTES}{note.id}"
    body = {"title": "A title", "code": "taken"}
    response = user_client.request(method, url, json=body)
    assert response.status_code == 409
    assert response.json() == {
        "detail": "This value is already in use",
        "code": "value_taken",
        "field": "code",
    }
    free = user_client.request(method, url, json=body | {"code": "free"})
    assert free.is_success


def test_timestamps(user_client: TestClient, db: Session, user: User) -> None:
    """The database sets them. A request can't, and only a change sets updated_at."""
    forged = {"title": "before", "created_at": "2000-01-01T00:00:00Z"}
    created = user_client.post(SAMPLE_NOTES, json=forged).json()
    age = datetime.now(UTC) - datetime.fromisoformat(created["created_at"])
    assert abs(age) < timedelta(minutes=1)
    assert created["updated_at"] == created["created_at"]
    # In the test's transaction, now() stays the same. Let the row be older.
    age_row = text("UPDATE sample_note SET created_at = :old, updated_at = :old WHERE id = :id")
    old = datetime(2020, 1, 1, tzinfo=UTC)
    db.execute(age_row, {"old": old, "id": created["id"]})
    url = f"{SAMPLE_NOTES}{created['id']}"
    updated = user_client.put(url, json={"title": "after"}).json()
    assert updated["created_at"] == "2020-01-01T00:00:00Z"
    assert updated["updated_at"] == created["updated_at"]
    newer = create_random_note(db, owner_id=user.id)
    listed = user_client.get(SAMPLE_NOTES, params={"sort": "-created_at"}).json()
    assert [note["id"] for note in listed] == [newer.id, created["id"]]
