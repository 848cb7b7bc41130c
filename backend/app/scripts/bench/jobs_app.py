"""The application, with two endpoints that write the same row. The second also enqueues a job."""

from app import worker
from app.api.deps import CurrentUser, SessionDep
from app.api.routing import APIRouter
from app.core.config import settings
from app.main import app
from app.models.audit import Audit
from app.schemas.msg import Msg

router = APIRouter(prefix=f"{settings.API_V1_STR}/bench")


@router.post("/row")
def create_row(db: SessionDep, _: CurrentUser) -> Msg:
    db.add(Audit(event="bench", detail="", address=""))
    return Msg(msg="created")


@router.post("/row-and-job")
def create_row_and_job(db: SessionDep, current_user: CurrentUser) -> Msg:
    db.add(Audit(event="bench", detail="", address=""))
    worker.send_new_account_email.enqueue(db, current_user, current_user.id)
    return Msg(msg="created")


app.include_router(router)
