"""The application does not start, and names the cause, when its routes contradict each other."""

from typing import Annotated, Literal

import fastapi
import pytest
from fastapi import FastAPI, Query

from app.api.exceptions import NotFound
from app.api.routing import APIRouter, include_routers, raises
from app.schemas.page import PageQuery
from app.tests.utils.sample_note import SampleNoteRead


def test_two_routers_with_one_prefix() -> None:
    routers = [APIRouter(prefix="/notes", tags=[tag]) for tag in ("notes", "letters")]
    with pytest.raises(TypeError, match=r"'notes'.*'letters'.*share a prefix"):
        include_routers(FastAPI(), routers, prefix="/api")


def test_router_of_fastapi() -> None:
    """Its routes would commit nothing."""
    router = fastapi.APIRouter(prefix="/notes", tags=["notes"])

    @router.get("/")
    def read() -> None: ...

    with pytest.raises(TypeError, match=r"'notes'.*is not an app.api.routing.APIRouter"):
        include_routers(FastAPI(), [router], prefix="/api")


def test_sort_key_that_is_no_field() -> None:
    class NoteQuery(PageQuery[SampleNoteRead]):
        sort: Literal["id", "-title", "stars"] = "id"  # type: ignore[assignment]

    with pytest.raises(
        TypeError, match=r"read_notes.*sorts by \{'stars'\}, but SampleNoteRead has no such field"
    ):

        @APIRouter().get("/", response_model=list[SampleNoteRead])
        def read_notes(query: Annotated[NoteQuery, Query()]) -> None: ...


@pytest.mark.parametrize("response_model", [None, SampleNoteRead, dict[str, SampleNoteRead]])
def test_page_that_is_no_list(response_model: object) -> None:
    with pytest.raises(TypeError, match=r"read_notes.*response_model must be a list"):

        @APIRouter().get("/", response_model=response_model)
        def read_notes(query: Annotated[PageQuery[SampleNoteRead], Query()]) -> None: ...


def test_raises_above_the_route() -> None:
    """It would come too late for the OpenAPI entry."""
    with pytest.raises(TypeError, match=r"@raises belongs below"):

        @raises(NotFound)
        @APIRouter().get("/")
        def read() -> None: ...
