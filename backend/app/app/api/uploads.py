"""The upload of a CSV file, whose rows a job imports."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from secrets import token_hex
from typing import Annotated, Any

from fastapi import Depends, Query, Request, Response
from pydantic import StringConstraints
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from app.api.deps import CurrentUser
from app.api.exceptions import UnsupportedMediaType
from app.api.routing import raises
from app.core import files
from app.core.config import settings
from app.core.files import FileStoreUnavailable
from app.models.job import Job
from app.schemas.types import NO_NUL

MAX_IMPORT_BYTES = 100 * 1024 * 1024
# The OpenAPI entry for the body.
CSV_BODY: dict[str, Any] = {
    "requestBody": {"required": True, "content": {"text/csv": {"schema": {"type": "string"}}}}
}
# The OpenAPI entry for the response.
LOCATION = {"description": "The path of the job", "schema": {"type": "string"}}
ACCEPTED: dict[int | str, dict[str, Any]] = {202: {"headers": {"Location": LOCATION}}}


@dataclass(frozen=True)
class Upload:
    key: str
    name: str


@raises(UnsupportedMediaType, FileStoreUnavailable)
async def save_upload(
    request: Request,
    current_user: CurrentUser,
    name: Annotated[
        str,
        StringConstraints(max_length=255, pattern=NO_NUL),
        Query(description="The name of the file, which is shown with the job"),
    ] = "",
) -> Upload:
    """Store the body in the file store, without a thread or a database connection."""
    content_type = request.headers.get("content-type", "").partition(";")[0]
    if content_type.strip().lower() != "text/csv":
        raise UnsupportedMediaType
    key = f"uploads/{token_hex(16)}"
    await files.save(key, _body(request))
    return Upload(key, name)


async def _body(request: Request) -> AsyncIterator[bytes]:
    try:
        async for chunk in request.stream():
            if chunk:
                yield chunk
    except ClientDisconnect as error:
        raise HTTPException(400, "The upload was interrupted") from error


UploadDep = Annotated[Upload, Depends(save_upload)]


def accepted(response: Response, job: Job) -> Job:
    """Name the job in the header Location."""
    response.headers["Location"] = f"{settings.API_V1_STR}/jobs/{job.id}"
    return job
