from datetime import datetime

from pydantic import Field

from app.schemas.types import ReadModel


class UserSession(ReadModel):
    user_agent: str
    address: str
    last_used_at: datetime
    expires_at: datetime
    is_current: bool = Field(default=False, description="Whether the request belongs to it")
