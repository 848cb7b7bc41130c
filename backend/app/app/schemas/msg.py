from typing import Annotated

from pydantic import BaseModel, StringConstraints

from app.schemas.types import NO_NUL


class Msg(BaseModel):
    msg: Annotated[str, StringConstraints(max_length=10_000, pattern=NO_NUL)]
