"""Responses for lists: a JSON array; headers contain the total and links to other pages."""

from typing import Any
from urllib.parse import urlencode

from fastapi import Request, Response
from pydantic_core import to_json

from app.crud.base import Page
from app.schemas.page import PageQuery

# The OpenAPI entry for the headers.
PAGE_RESPONSE: dict[int | str, dict[str, Any]] = {
    200: {
        "headers": {
            "X-Total-Count": {
                "description": "The total number of rows",
                "schema": {"type": "integer"},
            },
            "Link": {
                "description": "Links to the first, the previous and the next page (RFC 8288)",
                "schema": {"type": "string"},
            },
        }
    }
}


def page_response(request: Request, query: PageQuery[Any], page: Page) -> Response:
    """Return the rows as they come from the database, without a pydantic model for each row."""
    return Response(
        to_json(page.rows),
        media_type="application/json",
        headers={
            "X-Total-Count": str(page.total),
            "Link": _link_header(request, query, page.total),
        },
    )


def _link_header(request: Request, query: PageQuery[Any], total: int) -> str:
    skips = {"first": 0}
    if query.skip > 0:
        skips["prev"] = max(0, min(query.skip, total) - query.limit)
    if query.skip + query.limit < total:
        skips["next"] = query.skip + query.limit
    parameters = query.parameters()
    queries = {
        name: urlencode(parameters | {"skip": skip}, doseq=True) for name, skip in skips.items()
    }
    return ", ".join(f'<{request.url.path}?{q}>; rel="{name}"' for name, q in queries.items())
