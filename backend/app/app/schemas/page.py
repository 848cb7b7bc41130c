from typing import Annotated, Any, Generic, TypeVar, get_args

from pydantic import BaseModel, Field, GetCoreSchemaHandler, StringConstraints
from pydantic_core import core_schema

from app.schemas.types import NO_NUL, DateTime

Row = TypeVar("Row", bound=BaseModel)


class SortKey(str, Generic[Row]):
    """The name of a field of the rows, with `-` in front of it for descending order."""

    @classmethod
    def __get_pydantic_core_schema__(
        cls, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        row = next(iter(get_args(source)), None)
        if not (isinstance(row, type) and issubclass(row, BaseModel)):
            return core_schema.str_schema()  # The row type is unknown, as in PageQuery[Any].
        keys = [sign + name for name in row.model_fields for sign in ("", "-")]
        return core_schema.literal_schema(keys)


class PageQuery(BaseModel, Generic[Row]):
    """The query parameters of every list. A subclass adds the columns to filter by."""

    skip: int = Field(default=0, ge=0, le=2**31 - 1)
    limit: int = Field(default=100, ge=1, le=100)
    q: Annotated[str, StringConstraints(max_length=255, pattern=NO_NUL)] = Field(
        default="", description="Only rows that contain this text, ignoring case"
    )
    sort: SortKey[Row] = Field(
        default=SortKey("id"),
        description="The field to sort by, with `-` in front of it for descending order",
    )
    created_since: DateTime | None = Field(
        default=None, description="Only rows that were created at this time or later"
    )

    def parameters(self) -> dict[str, Any]:
        """Return the parameters that were given, as JSON."""
        return self.model_dump(mode="json", exclude_unset=True, exclude_none=True)

    def filters(self) -> dict[str, list[Any]]:
        """Return the values to find, by column: of the fields that a subclass adds."""
        names = [name for name in type(self).model_fields if name not in PageQuery.model_fields]
        given = {name: getattr(self, name) for name in names}
        return {
            name: value if isinstance(value, list) else [value]
            for name, value in given.items()
            if value is not None and value != []
        }
