import os
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import make_url

from app.core.config import Settings, load_settings, settings

REQUIRED = {
    "SECRET_KEY": "a secret",
    "FIRST_SUPERUSER": "Admin@example.com",
    "FIRST_SUPERUSER_PASSWORD": "a password",
    "POSTGRES_PASSWORD": "a password",
}


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Nothing but the required settings."""
    for name in [*Settings.model_fields, *(f"{name}_FILE" for name in Settings.model_fields)]:
        monkeypatch.delenv(name, raising=False)
    for name, value in REQUIRED.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


@pytest.mark.parametrize("blank", ["", "  "])
def test_blank_is_unset(environment: pytest.MonkeyPatch, blank: str) -> None:
    """The classic crashed."""
    defaults = Settings().model_dump()
    for name in Settings.model_fields:
        if name not in REQUIRED:
            environment.setenv(name, blank)
    assert Settings().model_dump() == defaults


@pytest.mark.parametrize(
    "value",
    [
        '["http://localhost/", "https://example.com:8000"]',
        "http://localhost, https://example.com:8000",
    ],
)
def test_cors_origins(environment: pytest.MonkeyPatch, value: str) -> None:
    environment.setenv("BACKEND_CORS_ORIGINS", value)
    assert Settings().BACKEND_CORS_ORIGINS == ["http://localhost", "https://example.com:8000"]


@pytest.mark.parametrize("password", ["p@ss/w%rd", "%(x)s", "a:b#c?d", "пароль", "' \""])
def test_any_password_makes_a_database_url(environment: pytest.MonkeyPatch, password: str) -> None:
    environment.setenv("POSTGRES_PASSWORD", password)
    url = make_url(Settings().SQLALCHEMY_DATABASE_URI)
    assert url.drivername == "postgresql+psycopg2"
    assert url.password == password


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_given_database_url_is_opened_with_psycopg2(
    environment: pytest.MonkeyPatch, scheme: str
) -> None:
    environment.setenv("SQLALCHEMY_DATABASE_URI", f"{scheme}://user:p%40ss@host:1/name")
    assert Settings().SQLALCHEMY_DATABASE_URI == "postgresql+psycopg2://user:p%40ss@host:1/name"


def test_secrets_from_files(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("a secret in a file\n")
    environment.setenv("SECRET_KEY_FILE", str(file))
    assert Settings().SECRET_KEY == "a secret in a file"
    file.write_bytes(b"\xff")
    with pytest.raises(SystemExit, match="SECRET_KEY_FILE"):
        Settings()


def test_mail_needs_a_server_and_can_be_forced_off(environment: pytest.MonkeyPatch) -> None:
    assert not Settings().EMAILS_ENABLED
    environment.setenv("SMTP_HOST", "localhost")
    environment.setenv("EMAILS_FROM_EMAIL", "info@example.com")
    assert Settings().EMAILS_ENABLED
    environment.setenv("EMAILS_ENABLED", "false")
    assert not Settings().EMAILS_ENABLED


def test_first_superuser_is_lower_case(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("PROJECT_NAME", "A name")
    loaded = Settings()
    assert loaded.FIRST_SUPERUSER == "admin@example.com"
    assert loaded.EMAILS_FROM_NAME == "A name"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_KEY", ""),
        ("SECRET_KEY", " "),
        ("API_V1_STR", "api"),
        ("API_V1_STR", "/api/"),
        ("SENTRY_DSN", "http://example.com"),
        ("EMAIL_TEMPLATES_DIR", "/nowhere"),
        ("REDIS_URL", "localhost:6379"),
        ("REDIS_URL", "redis://localhost:port/0"),
        ("CELERY_BROKER_URL", "redis://localhost/name"),
        ("CELERY_RESULT_BACKEND", "nonsense"),
        ("SQLALCHEMY_DATABASE_URI", "postgresql://user:pass:word@host:hunter2x/name"),
        ("FIRST_SUPERUSER", "no e-mail"),
        ("FIRST_SUPERUSER_PASSWORD", "short"),
        ("ACCESS_TOKEN_EXPIRE_MINUTES", "soon"),
        ("ACCESS_TOKEN_EXPIRE_MINUTES", "0"),
        ("POSTGRES_PORT", "70000"),
        ("SMTP_TLS", "perhaps"),
        ("SERVER_HOST", "localhost"),
        ("SERVER_HOST", "https://example.com/?x=1"),
        ("BACKEND_CORS_ORIGINS", '["http://localhost"'),
        ("BACKEND_CORS_ORIGINS", "everywhere"),
        ("SQLALCHEMY_DATABASE_URI", "no URL"),
        ("SQLALCHEMY_DATABASE_URI", "mysql://host/name"),
        ("ENVIRONMENT", "test"),
        ("SECRET_KEY_FILE", "/nowhere"),
    ],
)
def test_malformed_setting_is_named(environment: pytest.MonkeyPatch, name: str, value: str) -> None:
    environment.setenv(name, value)
    with pytest.raises(SystemExit, match=name) as error:
        load_settings()
    assert "hunter2" not in str(error.value)


def test_a_secret_is_never_shown(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("FIRST_SUPERUSER_PASSWORD", "hunter2")
    with pytest.raises(SystemExit) as error:
        load_settings()
    assert "hunter2" not in str(error.value)


@pytest.mark.parametrize(
    "name",
    [
        "SECRET_KEY",
        "POSTGRES_PASSWORD",
        "SQLALCHEMY_DATABASE_URI",
        "FIRST_SUPERUSER_PASSWORD",
        "PGADMIN_DEFAULT_PASSWORD",
        "FLOWER_BASIC_AUTH",
    ],
)
def test_default_secrets(environment: pytest.MonkeyPatch, name: str) -> None:
    """They are warned of in development, and refused elsewhere."""
    values = {
        "FLOWER_BASIC_AUTH": "admin:changethis",
        "SQLALCHEMY_DATABASE_URI": "postgresql://postgres:changethis@localhost/app",
    }
    environment.setenv(name, values.get(name, "changethis"))
    for elsewhere in ("staging", "production", ""):
        environment.setenv("ENVIRONMENT", elsewhere)
        with pytest.raises(SystemExit, match=name):
            load_settings()
    environment.setenv("ENVIRONMENT", "development")
    assert name in load_settings().default_secrets()


def test_a_program_exits_with_one_clear_message(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("POSTGRES_PORT", "none")
    result = subprocess.run(
        [sys.executable, "-m", "app.main"], capture_output=True, text=True, check=False
    )
    assert result.returncode == 1
    assert "POSTGRES_PORT" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(("module", "warnings"), [("app.backend_pre_start", 1), ("app.main", 0)])
def test_published_secrets_are_warned_of_once_per_start(module: str, warnings: int) -> None:
    """By the first step of prestart.sh, not by every program that reads the settings."""
    result = subprocess.run(
        [sys.executable, "-m", module],
        env=os.environ | {"SECRET_KEY": "changethis"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stderr.count("still 'changethis'") == warnings


def test_the_tests_use_a_database_of_their_own() -> None:
    assert "_test_" in str(make_url(settings.SQLALCHEMY_DATABASE_URI).database)
