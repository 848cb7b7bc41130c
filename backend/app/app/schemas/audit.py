from typing import Literal

from app.schemas.types import ReadModel

Event = Literal[
    "email_changed",
    "email_verified",
    "login",
    "login_failed",
    "logout",
    "password_changed",
    "password_rejected",
    "permissions_changed",
    "refresh_token_reused",
    "session_ended",
    "signed_up",
    "user_created",
    "user_deleted",
]


class Audit(ReadModel):
    event: Event
    actor_id: int | None
    actor: str | None
    target_id: int | None
    target: str | None
    detail: str
    address: str
    session_id: int | None
