"""The settings: environment variables, documented in the repository's .env file."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import quote, urlsplit

from pydantic import (
    AfterValidator,
    BeforeValidator,
    DirectoryPath,
    EmailStr,
    Field,
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

from app.core.passwords import DEFAULT_SECRET, MESSAGES, normalise, weakness
from app.core.setting_types import (
    AttemptLimit,
    CAFile,
    FileStore,
    Origin,
    RedisURL,
    SentryDSN,
    is_loopback,
    parse_list,
)

PORT = Field(ge=1, le=65535)
# The minimum length of an HS256 key (RFC 7518, section 3.2).
MIN_KEY_BYTES = 32


class FileSettingsSource(EnvSettingsSource):
    """Reads a setting from the file named by <NAME>_FILE, such as a Docker secret."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        path = self.env_vars.get(f"{field_name}_FILE")
        if not path:
            return None, field_name, False
        try:
            return Path(path).read_text().strip() or None, field_name, False
        except (OSError, UnicodeDecodeError) as error:
            sys.exit(f"{field_name}_FILE: can't be read: {error}")


class Settings(BaseSettings):
    """All settings, validated once at start."""

    model_config = SettingsConfigDict(
        case_sensitive=True, env_ignore_empty=True, hide_input_in_errors=True
    )

    ENVIRONMENT: Literal["development", "staging", "production"] = "production"
    API_V1_STR: str = Field(default="/api/v1", pattern=r"^(/[\w.-]+)+$")
    PROJECT_NAME: str = "FastAPI template"
    STACK_NAME: str = "app"
    SERVER_NAME: str = "localhost"
    SERVER_HOST: Origin = "http://localhost"
    BACKEND_CORS_ORIGINS: Annotated[list[Origin], NoDecode, BeforeValidator(parse_list)] = []
    SENTRY_DSN: SentryDSN | None = None

    SECRET_KEY: str
    SECRET_KEY_FALLBACKS: Annotated[list[str], NoDecode, BeforeValidator(parse_list)] = []
    ACCESS_TOKEN_EXPIRE_MINUTES: int = Field(default=30, ge=1, le=60 * 24 * 365)
    SESSION_IDLE_HOURS: int = Field(default=24 * 7, ge=1, le=24 * 365)
    SESSION_MAX_HOURS: int = Field(default=24 * 30, ge=1, le=24 * 365)
    FIRST_SUPERUSER: EmailStr
    FIRST_SUPERUSER_PASSWORD: Annotated[
        str, AfterValidator(normalise), Field(min_length=8, max_length=128)
    ]
    USERS_OPEN_REGISTRATION: bool = False

    LIMIT_FAILED_PASSWORDS: AttemptLimit = "10 per 5 minutes"
    LIMIT_FAILED_PASSWORDS_OF_NETWORK: AttemptLimit = "100 per 5 minutes"
    LIMIT_MAILS: AttemptLimit = "1 per minute; 10 per day"
    LIMIT_MAILS_OF_NETWORK: AttemptLimit = "30 per hour"
    AUDIT_DAYS: int = Field(default=365, ge=1, le=36500)
    JOB_DAYS: int = Field(default=30, ge=1, le=36500)

    FILE_STORE: FileStore = "files"
    S3_ENDPOINT: str | None = None
    S3_REGION: str = "us-east-1"
    S3_ACCESS_KEY_ID: str = ""
    S3_SECRET_ACCESS_KEY: str = ""

    POSTGRES_SERVER: str = "localhost"
    POSTGRES_PORT: Annotated[int, PORT] = 5432
    POSTGRES_USER: str = "app"
    POSTGRES_PASSWORD: str = ""
    POSTGRES_DB: str = "app"
    SQLALCHEMY_DATABASE_URI: str = ""
    POSTGRES_STATEMENT_TIMEOUT_SECONDS: int = Field(default=5, ge=0, le=60 * 60 * 24)

    REDIS_URL: RedisURL = "redis://localhost:6379/0"
    REDIS_PASSWORD: str = ""
    CELERY_BROKER_URL: RedisURL = ""
    CELERY_RESULT_BACKEND: RedisURL = ""

    SMTP_TLS: bool = True
    SMTP_SSL: bool = False
    SMTP_PORT: Annotated[int, PORT] = 587
    SMTP_HOST: str | None = None
    SMTP_USER: str | None = None
    SMTP_PASSWORD: str | None = None
    SMTP_CA_FILE: CAFile | None = None
    EMAILS_FROM_EMAIL: EmailStr | None = None
    EMAILS_FROM_NAME: str = ""
    EMAILS_ENABLED: bool = True
    EMAIL_RESET_TOKEN_EXPIRE_HOURS: int = Field(default=48, ge=1, le=24 * 365)
    EMAIL_TEMPLATES_DIR: DirectoryPath = Path(__file__).parents[1] / "email-templates" / "build"
    EMAIL_TEST_USER: EmailStr = "test@example.com"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        # A file overrides the variable, which is usually set too: most services read all of .env.
        return init_settings, FileSettingsSource(settings_cls), env_settings

    @property
    def registration_is_open(self) -> bool:
        """Whether anyone can sign up. Without mail, nobody could confirm their email."""
        return self.USERS_OPEN_REGISTRATION and self.EMAILS_ENABLED

    @model_validator(mode="before")
    @classmethod
    def drop_blank_values(cls, values: dict[str, Any]) -> dict[str, Any]:
        return {
            name: value
            for name, value in values.items()
            if not (isinstance(value, str) and value.strip() == "")
        }

    @model_validator(mode="after")
    def derive_defaults(self) -> Self:
        self.SQLALCHEMY_DATABASE_URI = self._database_uri()
        redis_url = self._redis_url()
        self.CELERY_BROKER_URL = self.CELERY_BROKER_URL or redis_url
        self.CELERY_RESULT_BACKEND = self.CELERY_RESULT_BACKEND or redis_url
        self.EMAILS_FROM_NAME = self.EMAILS_FROM_NAME or self.PROJECT_NAME
        self.EMAILS_ENABLED = bool(
            self.EMAILS_ENABLED and self.SMTP_HOST and self.EMAILS_FROM_EMAIL
        )
        self.FIRST_SUPERUSER = self.FIRST_SUPERUSER.lower()
        self.SESSION_IDLE_HOURS = min(self.SESSION_IDLE_HOURS, self.SESSION_MAX_HOURS)
        return self

    @model_validator(mode="after")
    def reject_weak_secrets(self) -> Self:
        if self.ENVIRONMENT != "development" and (problems := [*self._weak_secrets()]):
            raise ValueError("\n  ".join(problems))
        return self

    def _weak_secrets(self) -> Iterator[str]:
        if names := self.default_secrets():
            yield f"{names}: still {DEFAULT_SECRET!r}; set your own secret"
        if len(self.SECRET_KEY.encode()) < MIN_KEY_BYTES:
            yield f"SECRET_KEY: must have at least {MIN_KEY_BYTES} bytes"
        keys = self.SECRET_KEY_FALLBACKS
        if any(len(key.encode()) < MIN_KEY_BYTES or DEFAULT_SECRET in key for key in keys):
            yield (
                f"SECRET_KEY_FALLBACKS: each key must have at least {MIN_KEY_BYTES} bytes, "
                f"without {DEFAULT_SECRET!r}"
            )
        found = weakness(
            self.FIRST_SUPERUSER_PASSWORD,
            email=self.FIRST_SUPERUSER,
            project_name=self.PROJECT_NAME,
        )
        if found:
            yield f"FIRST_SUPERUSER_PASSWORD: {MESSAGES[found]}"
        if not make_url(self.SQLALCHEMY_DATABASE_URI).password:
            yield "POSTGRES_PASSWORD: must be set, or be part of SQLALCHEMY_DATABASE_URI"
        for name in ("CELERY_BROKER_URL", "CELERY_RESULT_BACKEND"):
            if not urlsplit(getattr(self, name)).password:
                yield f"REDIS_PASSWORD: must be set, or be part of REDIS_URL or {name}"

    def default_secrets(self) -> str:
        """Return the names of the secrets that still have the published default value."""
        # Each group is a secret and the URLs that contain it. If the secret has the default value,
        # only the secret is named: URLs that are not set are derived from it.
        groups = (
            ("SECRET_KEY",),
            ("FIRST_SUPERUSER_PASSWORD",),
            ("POSTGRES_PASSWORD", "SQLALCHEMY_DATABASE_URI"),
            ("REDIS_PASSWORD", "REDIS_URL", "CELERY_BROKER_URL", "CELERY_RESULT_BACKEND"),
        )
        names: list[str] = []
        for password, *urls in groups:
            is_default = DEFAULT_SECRET in getattr(self, password)
            candidates = [password] if is_default else urls
            names += [name for name in candidates if DEFAULT_SECRET in getattr(self, name)]
        return ", ".join(names)

    def warnings(self) -> list[str]:
        """Return warnings. In development there are none about unencrypted connections."""
        warnings = []
        if self.USERS_OPEN_REGISTRATION and not self.EMAILS_ENABLED:
            warnings.append(
                "USERS_OPEN_REGISTRATION is on, but nobody can sign up: mail is not configured"
            )
        if self.ENVIRONMENT == "development":
            return warnings
        if self.SERVER_HOST.startswith("http://"):
            warnings.append("SERVER_HOST is http://, so the links in mails open without encryption")
        encrypted = self.SMTP_TLS or self.SMTP_SSL
        if self.EMAILS_ENABLED and not encrypted and not is_loopback(self.SMTP_HOST or ""):
            warnings.append(
                "SMTP_TLS and SMTP_SSL are off, so mails and the SMTP password are not encrypted"
            )
        return warnings

    def _redis_url(self) -> str:
        """Return REDIS_URL, with REDIS_PASSWORD inserted if the URL has no password."""
        parts = urlsplit(self.REDIS_URL)
        if parts.password or not self.REDIS_PASSWORD:
            return self.REDIS_URL
        host = parts.netloc.rpartition("@")[2]
        login = f"{parts.username or ''}:{quote(self.REDIS_PASSWORD, safe='')}"
        return parts._replace(netloc=f"{login}@{host}").geturl()

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
                # Hide the original error, whose text may contain a part of the password.
                raise ValueError("SQLALCHEMY_DATABASE_URI: not a database URL") from None
            if url.get_backend_name() not in ("postgresql", "postgres"):
                raise ValueError("SQLALCHEMY_DATABASE_URI: must start with postgresql://")
            # SQLAlchemy 2.1 would use psycopg 3 for a plain postgresql://.
            url = url.set(drivername="postgresql+psycopg2")
        return url.render_as_string(hide_password=False)


def load_settings() -> Settings:
    """Return the settings, or exit with a line for each missing or invalid setting."""
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
