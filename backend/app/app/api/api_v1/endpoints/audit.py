from typing import Annotated

from fastapi import Query, Request, Response

from app.api.deps import CurrentSuperuser, ReadSessionDep
from app.api.pagination import PAGE_RESPONSE, page_response
from app.api.routing import APIRouter
from app.crud.crud_audit import audit as crud_audit
from app.schemas import audit as schemas
from app.schemas.page import PageQuery

router = APIRouter(prefix="/audit", tags=["audit"])


@router.get("/", response_model=list[schemas.Audit], responses=PAGE_RESPONSE)
def read_audit(
    request: Request,
    db: ReadSessionDep,
    _: CurrentSuperuser,
    query: Annotated[PageQuery[schemas.Audit], Query()],
) -> Response:
    """Return what happened to accounts: who did what to whom, when and from where."""
    return page_response(request, query, crud_audit.get_page(db, query))
