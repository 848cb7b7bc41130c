"""The settings: environment variables, documented in the repository's .env file."""

import sys
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    AnyHttpUrl,
    BeforeValidator,
    DirectoryPath,
    EmailStr,
    Field,
    RedisDsn,
    TypeAdapter,
    ValidationError,
    model_validator,
)
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from app.core.passwords import DEFAULT_SECRET

PORT = Field(ge=1, le=65535)


def parse_origins(value: object) -> object:
    """Take a JSON list or a comma-separated list."""
    if isinstance(value, str) and not value.lstrip().startswith("["):
        return [origin.strip() for origin in value.split(",") if origin.strip()]
    return TypeAdapter(list[str]).validate_json(value) if isinstance(value, str) else value


def check_origin(value: str) -> str:
    """Refuse more than scheme, host and port; return it as browsers do, without a slash."""
    url = TypeAdapter(AnyHttpUrl).validate_python(value)
    if url.path not in (None, "/") or url.query or url.fragment:
        raise ValueError("must be like https://example.com, without a path")
    return str(url).rstrip("/")


def check_redis_url(value: str) -> str:
    if value:
        path = TypeAdapter(RedisDsn).validate_python(value).path or "/0"
        if not path.removeprefix("/").isdecimal():
            raise ValueError("must end with the number of a database, like redis://host:6379/0")
    return value


def check_sentry_dsn(value: str) -> str:
    from sentry_sdk.utils import (  # Here, because importing it takes a tenth of a second.
        BadDsn,
        Dsn,
    )

    try:
        Dsn(value)
    except BadDsn as error:
        raise ValueError("must be a Sentry DSN, like https://key@host/1") from error
    return value


Origin = Annotated[str, AfterValidator(check_origin)]
RedisURL = Annotated[str, AfterValidator(check_redis_url)]
SentryDSN = Annotated[str, AfterValidator(check_sentry_dsn)]


class FileSettingsSource(EnvSettingsSource):
    """Reads a setting from the file that <NAME>_FILE names: Docker's secrets."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        path = self.env_vars.get(f"{field_name}_FILE")
        if not path:
            return None, field_name, False
        try:
            return Path(path).read_text().strip() or None, field_name, False
        except (OSError, UnicodeDecodeError) as error:
            sys.exit(f"{field_name}_FILE: can't be read: {error}")


class Settings(BaseSettings):
    """Every setting, checked once at start."""

    model_config = SettingsConfigDict(
        case_sensitive=True, env_ignore_empty=True, hide_input_in_errors=True
    )

    ENVIRONMENT: Literal["development", "staging", "production"] = "production"
    API_V1_STR: str = Field(default="/api/v1", pattern=r"^(/[\w.-]+)+$")
    PROJECT_NAME: str = "FastAPI template"
    SERVER_NAME: str = "localhost"
    SERVER_HOST: Origin = "http://localhost"
    BACKEND_CORS_ORIGINS: Annotated[list[Origin], NoDecode, BeforeValidator(parse_origins)] = []
    SENTRY_DSN: SentryDSN | None = None

    SECRET_KEY: str
    ACCESS_TOKEN_EXPIRE_MINUTES: int = Field(default=30, ge=1, le=60 * 24 * 365)
    FIRST_SUPERUSER: EmailStr
    FIRST_SUPERUSER_PASSWORD: str = Field(min_length=8, max_length=128)
    USERS_OPEN_REGISTRATION: bool = False

    POSTGRES_SERVER: str = "localhost"
    POSTGRES_PORT: Annotated[int, PORT] = 5432
    POSTGRES_USER: str = "postgres"
    POSTGRES_PASSWORD: str = ""
    POSTGRES_DB: str = "app"
    SQLALCHEMY_DATABASE_URI: str = ""

    REDIS_URL: RedisURL = "redis://localhost:6379/0"
    CELERY_BROKER_URL: RedisURL = ""
    CELERY_RESULT_BACKEND: RedisURL = ""

    SMTP_TLS: bool = True
    SMTP_SSL: bool = False
    SMTP_PORT: Annotated[int, PORT] = 587
    SMTP_HOST: str | None = None
    SMTP_USER: str | None = None
    SMTP_PASSWORD: str | None = None
    EMAILS_FROM_EMAIL: EmailStr | None = None
    EMAILS_FROM_NAME: str = ""
    EMAILS_ENABLED: bool = True
    EMAIL_RESET_TOKEN_EXPIRE_HOURS: int = Field(default=48, ge=1, le=24 * 365)
    EMAIL_TEMPLATES_DIR: DirectoryPath = Path(__file__).parents[1] / "email-templates" / "build"
    EMAIL_TEST_USER: EmailStr = "test@example.com"

    # Other services' secrets, read only to refuse their defaults.
    FLOWER_BASIC_AUTH: str = ""
    PGADMIN_DEFAULT_PASSWORD: str = ""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        # A file wins: .env, which most services read whole, always names the secret itself as well.
        return init_settings, FileSettingsSource(settings_cls), env_settings

    @model_validator(mode="before")
    @classmethod
    def blank_is_unset(cls, values: dict[str, Any]) -> dict[str, Any]:
        return {
            name: value
            for name, value in values.items()
            if not (isinstance(value, str) and value.strip() == "")
        }

    @model_validator(mode="after")
    def refuse_default_secrets(self) -> Self:
        if self.ENVIRONMENT != "development" and (names := self.default_secrets()):
            raise ValueError(f"{names}: still {DEFAULT_SECRET!r}; set a secret of your own")
        return self

    def default_secrets(self) -> str:
        """Return the names of the secrets that still are the published ones."""
        secrets = (
            "SECRET_KEY",
            "POSTGRES_PASSWORD",
            "SQLALCHEMY_DATABASE_URI",
            "FIRST_SUPERUSER_PASSWORD",
            "FLOWER_BASIC_AUTH",
            "PGADMIN_DEFAULT_PASSWORD",
        )
        names = [name for name in secrets if DEFAULT_SECRET in getattr(self, name)]
        if "POSTGRES_PASSWORD" in names:
            names = [name for name in names if name != "SQLALCHEMY_DATABASE_URI"]  # Made of it.
        return ", ".join(names)

    @model_validator(mode="after")
    def fill_in_what_follows_from_others(self) -> Self:
        self.SQLALCHEMY_DATABASE_URI = self._database_uri()
        self.CELERY_BROKER_URL = self.CELERY_BROKER_URL or self.REDIS_URL
        self.CELERY_RESULT_BACKEND = self.CELERY_RESULT_BACKEND or self.REDIS_URL
        self.EMAILS_FROM_NAME = self.EMAILS_FROM_NAME or self.PROJECT_NAME
        self.EMAILS_ENABLED = bool(
            self.EMAILS_ENABLED and self.SMTP_HOST and self.EMAILS_FROM_EMAIL
        )
        self.FIRST_SUPERUSER = self.FIRST_SUPERUSER.lower()
        return self

    def _database_uri(self) -> str:
        if not self.SQLALCHEMY_DATABASE_URI:
            url = URL.create(
                "postgresql+psycopg2",
                username=self.POSTGRES_USER,
                password=self.POSTGRES_PASSWORD,
                host=self.POSTGRES_SERVER,
                port=self.POSTGRES_PORT,
                database=self.POSTGRES_DB,
            )
        else:
            try:
                url = make_url(self.SQLALCHEMY_DATABASE_URI)
            except (ArgumentError, ValueError):
                # The cause may hold a part of the password.
                raise ValueError("SQLALCHEMY_DATABASE_URI: not a database URL") from None
            if url.get_backend_name() not in ("postgresql", "postgres"):
                raise ValueError("SQLALCHEMY_DATABASE_URI: must start with postgresql://")
            # SQLAlchemy 2.1 would take psycopg 3 for a plain postgresql://.
            url = url.set(drivername="postgresql+psycopg2")
        return url.render_as_string(hide_password=False)


def load_settings() -> Settings:
    """Exit with a line for each setting that is missing or malformed."""
    try:
        return Settings()
    except ValidationError as error:
        lines = []
        for problem in error.errors(include_input=False, include_url=False):
            name = ".".join(str(part) for part in problem["loc"])
            message = problem["msg"].removeprefix("Value error, ")
            lines.append(f"  {name}: {message}" if name else f"  {message}")
        sys.exit("\n".join(["Can't start: check these settings (see .env):", *lines]))


settings = load_settings()
