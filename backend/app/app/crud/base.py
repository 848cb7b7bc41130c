import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache, lru_cache
from typing import Any, ClassVar, Generic, Literal, TypeVar

from psycopg2.errors import UniqueViolation
from pydantic import BaseModel
from sqlalchemy import (
    JSON,
    BindParameter,
    ColumnElement,
    Numeric,
    Row,
    ScalarSelect,
    Select,
    SelectBase,
    Text,
    bindparam,
    case,
    cast,
    false,
    func,
    literal,
    null,
    or_,
    select,
    union_all,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from app.crud.exceptions import OwnerGone, StillReferenced, ValueTaken, raise_on_violation
from app.db.base_class import Base, OwnedBase
from app.models.user import User
from app.schemas.page import PageQuery

ModelType = TypeVar("ModelType", bound=Base)
CreateSchemaType = TypeVar("CreateSchemaType", bound=BaseModel)
UpdateSchemaType = TypeVar("UpdateSchemaType", bound=BaseModel)
OwnedModelType = TypeVar("OwnedModelType", bound=OwnedBase)

# Who may read the rows. Superusers may always read them.
Readers = Literal["owner", "users", "superusers"]

# Rows count as new up to this age.
NEW = timedelta(days=7)

LIKE_WILDCARD = re.compile(r"[\\%_]")


def like_pattern(text: str) -> str:
    """Return a LIKE pattern that finds the text literally."""
    return "%" + LIKE_WILDCARD.sub(r"\\\g<0>", text) + "%"


def reference(target: Any) -> ColumnElement[Any]:
    """Return the id and the title of a row, or NULL if an outer join found none."""
    pair = func.json_build_object("id", target.id, "title", target.display_name)
    return case((target.id.is_not(None), pair))


def as_list(rows: SelectBase) -> ScalarSelect[Any]:
    """Return the rows as one value: a list of objects."""
    objects = func.json_agg(rows.subquery("rows").table_valued())
    return select(func.coalesce(objects, literal([], JSON))).scalar_subquery()


@dataclass(frozen=True)
class Page:
    """Rows of a list, as plain values by column name, and the total number of rows."""

    rows: list[dict[str, Any]]
    total: int


class CRUDBase(Generic[ModelType, CreateSchemaType, UpdateSchemaType]):
    """Create, read, update and delete rows of a model.

    No method commits. The code that opened the session commits it.
    """

    readers: ClassVar[Readers] = "superusers"
    # The schema of a list's rows. Its fields are columns, and references with an id and a title.
    read_schema: ClassVar[type[BaseModel]] = BaseModel
    # The columns in which a list searches.
    search_columns: ClassVar[Sequence[InstrumentedAttribute[Any]]] = ()

    def __init__(self, model: type[ModelType]) -> None:
        """Raises TypeError if read_schema has a field that is not a column of the model."""
        self.model = model
        self.fields = tuple(self.read_schema.model_fields)
        if missing := set(self.fields) - set(model.__mapper__.all_orm_descriptors.keys()):
            raise TypeError(
                f"{self.read_schema.__module__}.{self.read_schema.__name__} has {missing}, "
                f"but the model {model.__name__} has no such column"
            )
        # Built once: building a query costs as much CPU as running it.
        self.by_id = select(model).where(model.id == bindparam("id"))

    def get(self, db: Session, id: int, *, for_update: bool = False) -> ModelType | None:  # noqa: A002
        """Return the row or None.

        With for_update, the row is locked until the commit. Other rows can still refer to it.
        """
        if for_update:
            # Without "of", PostgreSQL would also lock the rows that this row refers to. Without
            # "key_share", two updates that make rows refer to each other would be a deadlock.
            lock = {"of": self.model, "key_share": True}
            return db.get(self.model, id, with_for_update=lock, populate_existing=True)
        return db.scalars(self.by_id, {"id": id}).one_or_none()

    def readable_by(self, user: User) -> dict[str, int] | None:
        """Return the filter for the rows that the user may read, or None if there are none."""
        if self.readers == "users" or user.is_superuser:
            return {}
        return {"owner_id": user.id} if self.readers == "owner" else None

    def get_multi(self, db: Session, *, skip: int = 0, limit: int = 100) -> Sequence[ModelType]:
        return self._get_multi(db, skip=skip, limit=limit)

    def create(self, db: Session, *, obj_in: CreateSchemaType) -> ModelType:
        return self._save(db, self.model(**obj_in.model_dump()))

    def update(
        self, db: Session, *, db_obj: ModelType, obj_in: UpdateSchemaType | dict[str, Any]
    ) -> ModelType:
        """Write only the fields that were set."""
        for field, value in self._fields_to_write(obj_in).items():
            setattr(db_obj, field, value)
        return self._save(db, db_obj)

    def remove(self, db: Session, *, id: int) -> ModelType | None:  # noqa: A002
        """Return the removed row, or None if it did not exist. Raises StillReferenced."""
        db_obj = db.get(self.model, id)
        if db_obj is not None:
            self._ensure_not_required(db, id)
            db.delete(db_obj)
            db.flush()
        return db_obj

    def get_page(self, db: Session, query: PageQuery[Any], **filters: int | str | bool) -> Page:
        """Return a page of rows. A filter is the name of a column and the value to find there.

        It adds to those in the query, so that nobody can ask for more rows.

        One SQL statement returns the rows and the total. The rows are plain values, because those
        cost half as much as ORM entities.
        """
        page, total, parameters = self.page_statements(query, **filters)
        rows = db.execute(page, parameters).all()
        if not rows:
            # Each row contains the total, so a page past the end needs a second statement.
            return Page([], (db.scalar(total, parameters) or 0) if query.skip else 0)
        return Page([dict(zip(self.fields, row[1:], strict=True)) for row in rows], rows[0][0])

    def page_statements(
        self, query: PageQuery[Any], **filters: int | str | bool
    ) -> tuple[Select[Any], Select[int], dict[str, Any]]:
        """Return the statements for a page and for the total, and their parameters."""
        if not self.fields:
            raise TypeError(f"{type(self).__name__} has no read_schema")
        chosen = query.filters()
        statements = self._page_statements(
            query.sort, bool(query.q), bool(query.created_since), tuple(filters), tuple(chosen)
        )
        parameters: dict[str, Any] = filters | {
            "skip": query.skip,
            "limit": query.limit,
            "pattern": like_pattern(query.q),
            "since": query.created_since,
            **{f"chosen_{name}": values for name, values in chosen.items()},
        }
        return *statements, parameters

    @lru_cache(maxsize=500)  # noqa: B019  # A CRUD object lives as long as the process.
    def _page_statements(
        self,
        sort: str,
        searched: bool,
        since: bool,
        filters: tuple[str, ...],
        chosen: tuple[str, ...],
    ) -> tuple[Select[Any], Select[int]]:
        """Return the statements for a page and for the total, built once per combination."""
        columns = self.model.__table__.columns
        conditions = [columns[name] == bindparam(name) for name in filters]
        conditions += [
            columns[name].in_(bindparam(f"chosen_{name}", expanding=True)) for name in chosen
        ]
        if since:
            conditions.append(columns.created_at >= bindparam("since"))
        if searched:
            pattern: BindParameter[str] = bindparam("pattern")
            matches = (columns[c.key].ilike(pattern) for c in self.search_columns)
            conditions.append(or_(false(), *matches))
        total = select(func.count()).select_from(self.model.__table__).where(*conditions)
        sort_columns: dict[str, Any] = {}
        page = select(total.scalar_subquery()).select_from(self.model)
        for name in self.fields:
            if name in columns:
                sort_columns[name] = column = columns[name]
                # Responses contain decimals as texts without an exponent.
                is_decimal = isinstance(column.type, Numeric) and column.type.asdecimal
                page = page.add_columns(cast(column, Text).label(name) if is_decimal else column)
            else:
                # A reference is read with the row, and sorted by its title.
                relationship = getattr(self.model, name)
                target = aliased(relationship.property.mapper.class_)
                sort_columns[name] = target.display_name
                page = page.outerjoin(relationship.of_type(target))
                page = page.add_columns(reference(target).label(name))
        column = sort_columns[sort.removeprefix("-")]
        direction = column.desc() if sort.startswith("-") else column.asc()
        page = (
            page.where(*conditions)
            .order_by(direction.nulls_last(), columns.id)
            .offset(bindparam("skip"))
            .limit(bindparam("limit"))
        )
        return page, total

    def _get_multi(
        self, db: Session, *filters: ColumnElement[bool], skip: int, limit: int
    ) -> Sequence[ModelType]:
        statement = (
            select(self.model).where(*filters).order_by(self.model.id).offset(skip).limit(limit)
        )
        return db.scalars(statement).all()

    def _save(self, db: Session, db_obj: ModelType) -> ModelType:
        """Write the row and read it back: the database may round values or set defaults.

        Raises ValueTaken.
        """
        db.add(db_obj)
        try:
            db.flush()
        except IntegrityError as error:
            if isinstance(error.orig, UniqueViolation):
                constraint = error.orig.diag.constraint_name or ""
                raise ValueTaken(
                    constraint.removeprefix(f"uq_{self.model.__tablename__}_")
                ) from error
            raise
        db.refresh(db_obj)
        return db_obj

    def _ensure_not_required(self, db: Session, row_id: int) -> None:
        """Raise StillReferenced if a column marked with PROTECT refers to the row.

        Locks the row first, so that no other row starts to refer to it meanwhile.
        """
        rows = [
            select(literal(1)).where(key.parent == row_id).limit(1)
            for table in self.model.metadata.tables.values()
            for key in table.foreign_keys
            if key.parent.info.get("protect") and key.column.table is self.model.__table__
        ]
        if not rows:
            return
        db.execute(select(self.model.id).where(self.model.id == row_id).with_for_update())
        if db.scalar(union_all(*rows)):
            raise StillReferenced

    @staticmethod
    def _fields_to_write(obj_in: BaseModel | dict[str, Any]) -> dict[str, Any]:
        return obj_in if isinstance(obj_in, dict) else obj_in.model_dump(exclude_unset=True)


class CRUDOwned(CRUDBase[OwnedModelType, CreateSchemaType, UpdateSchemaType]):
    """Create, read, update and delete rows that belong to a user."""

    readers: ClassVar[Readers] = "owner"
    # The schema of the rows of an import.
    create_schema: ClassVar[type[BaseModel]] = BaseModel

    @property
    def references(self) -> Mapping[str, CRUDBase[Any, Any, Any]]:
        """The columns that refer to other rows, and the CRUD objects of those, for imports."""
        return {}

    def create_with_owner(
        self, db: Session, *, obj_in: CreateSchemaType, owner_id: int
    ) -> OwnedModelType:
        """Raises OwnerGone if the user does not exist."""
        with raise_on_violation(OwnerGone, f"fk_{self.model.__tablename__}_owner_id_user"):
            return self._save(db, self.model(**obj_in.model_dump(), owner_id=owner_id))

    def summary(
        self, db: Session, *, user_id: int, **filters: int
    ) -> Row[int, int, bool, list[dict[str, Any]]]:
        """Return the number of rows and of new rows, whether the user owns any, and the latest."""
        statement = self._summary_statement(tuple(filters))
        return db.execute(statement, {"user_id": user_id, **filters}).one()

    @cache  # noqa: B019  # A CRUD object lives as long as the process.
    def _summary_statement(
        self, filters: tuple[str, ...]
    ) -> Select[int, int, bool, list[dict[str, Any]]]:
        model = self.model
        conditions = [getattr(model, name) == bindparam(name) for name in filters]
        title = getattr(model, "display_name", cast(null(), Text))
        latest = (
            select(model.id, title.label("title"), model.created_at)
            .add_columns(reference(User).label("owner"))
            .join(model.owner)
            .where(*conditions)
            .order_by(model.id.desc())
            .limit(5)
        )
        return select(
            func.count(),
            func.count().filter(model.created_at > func.now() - NEW),
            select(model.id).where(model.owner_id == bindparam("user_id")).exists(),
            as_list(latest),
        ).where(*conditions)

    def get_multi_by_owner(
        self, db: Session, *, owner_id: int, skip: int = 0, limit: int = 100
    ) -> Sequence[OwnedModelType]:
        return self._get_multi(db, self.model.owner_id == owner_id, skip=skip, limit=limit)
