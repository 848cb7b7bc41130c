from typing import Literal

from pydantic import BaseModel


class Health(BaseModel):
    database: Literal["up"]
    redis: Literal["up", "down"]
    schema_revision: Literal["current", "outdated", "unknown"]
