"""A wrong route definition is an error when the app starts. The error names the cause."""

from typing import Annotated, Any, Literal

import fastapi
import pytest
from fastapi import FastAPI, Query

from app.api.exceptions import NotFound
from app.api.routing import APIRouter, include_routers, raises
from app.schemas.page import PageQuery
from app.tests.utils.sample_note import SampleNoteRead


def test_duplicate_prefix_is_an_error() -> None:
    routers = [APIRouter(prefix="/notes", tags=[tag]) for tag in ("notes", "letters")]
    with pytest.raises(TypeError, match=r"'notes'.*'letters'.*share a prefix"):
        include_routers(FastAPI(), routers, prefix="/api")


def test_plain_fastapi_router_is_an_error() -> None:
    """Routes of FastAPI's own router would not commit."""
    router = fastapi.APIRouter(prefix="/notes", tags=["notes"])

    @router.get("/")
    def read() -> None: ...

    with pytest.raises(TypeError, match=r"'notes'.*is not an app.api.routing.APIRouter"):
        include_routers(FastAPI(), [router], prefix="/api")


class UnknownSortKey(PageQuery[SampleNoteRead]):
    sort: Literal["id", "-title", "likes"] = "id"  # type: ignore[assignment]


class UnknownFilter(PageQuery[SampleNoteRead]):
    likes: int | None = None


@pytest.mark.parametrize("query_model", [UnknownSortKey, UnknownFilter])
def test_unknown_field_in_a_query_is_an_error(query_model: Any) -> None:
    with pytest.raises(
        TypeError, match=r"read_notes.* by \{'likes'\}, but SampleNoteRead has no such field"
    ):

        @APIRouter().get("/", response_model=list[SampleNoteRead])
        def read_notes(query: Annotated[query_model, Query()]) -> None: ...


@pytest.mark.parametrize("response_model", [None, SampleNoteRead, dict[str, SampleNoteRead]])
def test_page_query_requires_list_response(response_model: object) -> None:
    with pytest.raises(TypeError, match=r"read_notes.*response_model must be a list"):

        @APIRouter().get("/", response_model=response_model)
        def read_notes(query: Annotated[PageQuery[SampleNoteRead], Query()]) -> None: ...


def test_raises_above_route_is_an_error() -> None:
    """The route's decorator would already have created the OpenAPI entry."""
    with pytest.raises(TypeError, match=r"@raises belongs below"):

        @raises(NotFound)
        @APIRouter().get("/")
        def read() -> None: ...
