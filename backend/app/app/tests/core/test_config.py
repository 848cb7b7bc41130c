import os
import ssl
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import kombu
import pytest
from redis import Redis, SSLConnection
from redis.exceptions import AuthenticationError
from sqlalchemy import make_url

from app.core.config import Settings, load_settings, settings
from app.tests.core.conftest import REQUIRED
from app.tests.utils.utils import random_lower_string


@pytest.mark.parametrize("blank", ["", "  "])
def test_blank_setting_gets_its_default(environment: pytest.MonkeyPatch, blank: str) -> None:
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
def test_cors_origins_may_be_json_or_comma_separated(
    environment: pytest.MonkeyPatch, value: str
) -> None:
    environment.setenv("BACKEND_CORS_ORIGINS", value)
    assert Settings().BACKEND_CORS_ORIGINS == ["http://localhost", "https://example.com:8000"]


@pytest.mark.parametrize("password", ["p@ss/w%rd", "%(x)s", "a:b#c?d", "пароль", "' \""])
def test_database_password_is_quoted(environment: pytest.MonkeyPatch, password: str) -> None:
    environment.setenv("POSTGRES_PASSWORD", password)
    url = make_url(Settings().SQLALCHEMY_DATABASE_URI)
    assert url.drivername == "postgresql+psycopg2"
    assert url.password == password


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_database_url_uses_psycopg2(environment: pytest.MonkeyPatch, scheme: str) -> None:
    environment.setenv("SQLALCHEMY_DATABASE_URI", f"{scheme}://user:p%40ss@host:1/name")
    assert Settings().SQLALCHEMY_DATABASE_URI == "postgresql+psycopg2://user:p%40ss@host:1/name"


def test_secrets_are_read_from_files(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("a secret in a file, long enough to be a key\n")
    environment.setenv("SECRET_KEY_FILE", str(file))
    assert Settings().SECRET_KEY == "a secret in a file, long enough to be a key"
    file.write_bytes(b"\xff")
    with pytest.raises(SystemExit, match="SECRET_KEY_FILE"):
        Settings()


def test_mail_requires_server_and_can_be_disabled(environment: pytest.MonkeyPatch) -> None:
    assert not Settings().EMAILS_ENABLED
    environment.setenv("SMTP_HOST", "localhost")
    environment.setenv("EMAILS_FROM_EMAIL", "info@example.com")
    assert Settings().EMAILS_ENABLED
    environment.setenv("EMAILS_ENABLED", "false")
    assert not Settings().EMAILS_ENABLED


def test_first_superuser_is_lower_case_and_sender_is_project_name(
    environment: pytest.MonkeyPatch,
) -> None:
    environment.setenv("PROJECT_NAME", "A name")
    loaded = Settings()
    assert loaded.FIRST_SUPERUSER == "admin@example.com"
    assert loaded.EMAILS_FROM_NAME == "A name"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LIMIT_MAILS", "often"),
        ("LIMIT_MAILS", "1 per minute; often"),
        ("JOB_DAYS", "0"),
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
        ("FIRST_SUPERUSER", "not an email"),
        ("FIRST_SUPERUSER_PASSWORD", "short"),
        ("ACCESS_TOKEN_EXPIRE_MINUTES", "soon"),
        ("ACCESS_TOKEN_EXPIRE_MINUTES", "0"),
        ("POSTGRES_PORT", "70000"),
        ("SMTP_TLS", "perhaps"),
        ("SMTP_CA_FILE", "/nowhere"),
        ("SMTP_CA_FILE", "/"),
        ("SMTP_CA_FILE", __file__),
        ("SMTP_CA_FILE", "/dev/null"),
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


def test_error_message_contains_no_secrets(environment: pytest.MonkeyPatch) -> None:
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
        "REDIS_PASSWORD",
        "REDIS_URL",
        "CELERY_BROKER_URL",
        "CELERY_RESULT_BACKEND",
    ],
)
def test_default_secrets_are_rejected_outside_development(
    environment: pytest.MonkeyPatch, name: str
) -> None:
    """In development, default secrets only cause a warning."""
    values = {
        "REDIS_URL": "redis://:changethis@localhost/0",
        "CELERY_BROKER_URL": "redis://:changethis@localhost/0",
        "CELERY_RESULT_BACKEND": "redis://:changethis@localhost/0",
        "SQLALCHEMY_DATABASE_URI": "postgresql://postgres:changethis@localhost/app",
    }
    environment.setenv(name, values.get(name, "changethis"))
    for elsewhere in ("staging", "production", ""):
        environment.setenv("ENVIRONMENT", elsewhere)
        with pytest.raises(SystemExit, match=name):
            load_settings()
    environment.setenv("ENVIRONMENT", "development")
    assert name in load_settings().default_secrets()


WEAK = [
    ({"SECRET_KEY": "x"}, "SECRET_KEY"),
    ({"SECRET_KEY": "x" * 31}, "SECRET_KEY"),
    ({"SECRET_KEY": " " + "x" * 30}, "SECRET_KEY"),
    ({"POSTGRES_PASSWORD": ""}, "POSTGRES_PASSWORD"),
    ({"POSTGRES_PASSWORD": "  "}, "POSTGRES_PASSWORD"),
    (
        {"SQLALCHEMY_DATABASE_URI": "postgresql://app@db/app"},
        "SQLALCHEMY_DATABASE_URI",
    ),
    ({"SQLALCHEMY_DATABASE_URI": "postgresql://app:@db/app"}, "SQLALCHEMY_DATABASE_URI"),
    ({"REDIS_PASSWORD": ""}, "REDIS_PASSWORD"),
    ({"REDIS_PASSWORD": "", "REDIS_URL": "redis://redis:6379/0"}, "REDIS_PASSWORD"),
    ({"REDIS_PASSWORD": "", "REDIS_URL": "redis://:@redis:6379/0"}, "REDIS_PASSWORD"),
    ({"CELERY_BROKER_URL": "redis://redis/0"}, "CELERY_BROKER_URL"),
    ({"CELERY_RESULT_BACKEND": "redis://user@redis/0"}, "CELERY_RESULT_BACKEND"),
    ({"FIRST_SUPERUSER_PASSWORD": ""}, "FIRST_SUPERUSER_PASSWORD"),
    ({"FIRST_SUPERUSER_PASSWORD": "password1"}, "FIRST_SUPERUSER_PASSWORD"),
    ({"FIRST_SUPERUSER_PASSWORD": "admin@example.com"}, "FIRST_SUPERUSER_PASSWORD"),
    (
        {"FIRST_SUPERUSER_PASSWORD": "our shop", "PROJECT_NAME": "OurShop"},
        "FIRST_SUPERUSER_PASSWORD",
    ),
    ({"FIRST_SUPERUSER_PASSWORD": "a\u0301" * 7}, "FIRST_SUPERUSER_PASSWORD"),
]


@pytest.mark.parametrize("elsewhere", ["staging", "production", ""])
@pytest.mark.parametrize(("values", "name"), WEAK, ids=str)
def test_weak_secrets_are_rejected_outside_development(
    environment: pytest.MonkeyPatch, elsewhere: str, values: dict[str, str], name: str
) -> None:
    environment.setenv("ENVIRONMENT", elsewhere)
    for key, value in values.items():
        environment.setenv(key, value)
    with pytest.raises(SystemExit, match=name) as error:
        load_settings()
    for value in values.values():
        assert len(value) < 5 or value not in str(error.value)


def test_all_weak_secrets_are_named(environment: pytest.MonkeyPatch) -> None:
    names = ("SECRET_KEY", "FIRST_SUPERUSER_PASSWORD", "POSTGRES_PASSWORD", "REDIS_PASSWORD")
    for name, value in zip(names, ("short", "password", "", ""), strict=True):
        environment.setenv(name, value)
    with pytest.raises(SystemExit) as error:
        load_settings()
    for name in names:
        assert name in str(error.value)


@pytest.mark.parametrize(
    "values",
    [
        {"SECRET_KEY": "x"},
        {"POSTGRES_PASSWORD": "", "REDIS_PASSWORD": ""},
        {"FIRST_SUPERUSER_PASSWORD": "password"},
        {"FIRST_SUPERUSER_PASSWORD": "changethis"},
        {"SQLALCHEMY_DATABASE_URI": "postgresql://app@db/app"},
    ],
    ids=str,
)
def test_weak_secrets_are_accepted_in_development(
    environment: pytest.MonkeyPatch, values: dict[str, str]
) -> None:
    environment.setenv("ENVIRONMENT", "development")
    for key, value in values.items():
        environment.setenv(key, value)
    load_settings()


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"SECRET_KEY": "ключ" * 4},  # the limit is in bytes
        {"POSTGRES_PASSWORD": "", "SQLALCHEMY_DATABASE_URI": "postgresql://app:secret@db/app"},
        {"REDIS_PASSWORD": "", "REDIS_URL": "redis://:secret@redis:6379/0"},
        {
            "REDIS_PASSWORD": "",
            "CELERY_BROKER_URL": "redis://:secret@redis/0",
            "CELERY_RESULT_BACKEND": "rediss://user:secret@other/1",
        },
    ],
    ids=str,
)
def test_strong_secrets_are_accepted_outside_development(
    environment: pytest.MonkeyPatch, values: dict[str, str]
) -> None:
    for key, value in values.items():
        environment.setenv(key, value)
    assert load_settings().ENVIRONMENT == "production"


@pytest.mark.parametrize(
    ("url", "password", "derived"),
    [
        ("redis://redis:6379/0", "simple", "redis://:simple@redis:6379/0"),
        ("redis://redis:6379/0", "p@s/s:%#?", "redis://:p%40s%2Fs%3A%25%23%3F@redis:6379/0"),
        ("rediss://name@redis:6379/3?x=1", "p q", "rediss://name:p%20q@redis:6379/3?x=1"),
        (
            "redis://[::1]:6379/0",
            "пароль",
            "redis://:%D0%BF%D0%B0%D1%80%D0%BE%D0%BB%D1%8C@[::1]:6379/0",
        ),
        ("redis://:own@redis/0", "another", "redis://:own@redis/0"),
    ],
)
def test_redis_password_is_inserted_into_url(
    environment: pytest.MonkeyPatch, url: str, password: str, derived: str
) -> None:
    environment.setenv("REDIS_URL", url)
    environment.setenv("REDIS_PASSWORD", password)
    loaded = Settings()
    assert loaded.CELERY_BROKER_URL == loaded.CELERY_RESULT_BACKEND == derived


def test_broker_url_overrides_redis_url(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("ENVIRONMENT", "development")
    environment.setenv("CELERY_BROKER_URL", "redis://broker/0")
    loaded = Settings()
    assert loaded.CELERY_BROKER_URL == "redis://broker/0"
    assert loaded.CELERY_RESULT_BACKEND == "redis://:a%20password@localhost:6379/0"


@pytest.mark.parametrize("setting", ["REDIS_URL", "CELERY_BROKER_URL", "CELERY_RESULT_BACKEND"])
@pytest.mark.parametrize(
    ("value", "mode"),
    [
        ("CERT_REQUIRED", ssl.CERT_REQUIRED),
        ("CERT_OPTIONAL", ssl.CERT_OPTIONAL),
        ("CERT_NONE", ssl.CERT_NONE),
        ("required", ssl.CERT_REQUIRED),
    ],
)
def test_redis_tls_option_is_normalised(
    environment: pytest.MonkeyPatch, setting: str, value: str, mode: ssl.VerifyMode
) -> None:
    environment.setenv("ENVIRONMENT", "development")
    environment.setenv(setting, f"rediss://redis/0?socket_timeout=9&ssl_cert_reqs={value}")
    loaded = Settings().model_dump()
    url = loaded["CELERY_BROKER_URL" if setting == "REDIS_URL" else setting]
    connection = Redis.from_url(url).connection_pool.make_connection()
    assert isinstance(connection, SSLConnection)
    assert (connection.cert_reqs, connection.socket_timeout) == (mode, 9)


@pytest.mark.parametrize("password", ["p@s/s:%#?", "a b+c", "пароль"])
def test_derived_redis_url_authenticates(environment: pytest.MonkeyPatch, password: str) -> None:
    """Both Redis clients can log in to a real server: kombu's and that of the health check."""
    admin, name = Redis.from_url(settings.CELERY_BROKER_URL), random_lower_string()
    parts = urlsplit(settings.CELERY_BROKER_URL)
    environment.setenv("ENVIRONMENT", "development")
    environment.setenv("REDIS_URL", f"redis://{name}@{parts.hostname}:{parts.port}{parts.path}")
    environment.setenv("REDIS_PASSWORD", password)
    url = Settings().CELERY_BROKER_URL
    admin.acl_setuser(name, enabled=True, passwords=[f"+{password}"], categories=["+@all"])
    try:
        with Redis.from_url(url) as client, kombu.Connection(url) as connection:
            assert client.ping()
            connection.ensure_connection(max_retries=1)
        wrong = url.replace(f"{name}:", f"{name}:x")
        with Redis.from_url(wrong) as client, pytest.raises(AuthenticationError):
            client.ping()
    finally:
        admin.acl_deluser(name)
        admin.close()


PLAIN_SMTP = {"SMTP_HOST": "mail.example.com", "SMTP_TLS": "false"}


@pytest.mark.parametrize(
    ("values", "warned"),
    [
        ({"SERVER_HOST": "http://example.com"}, ["SERVER_HOST"]),
        ({"SERVER_HOST": "https://example.com"}, []),
        ({**PLAIN_SMTP}, ["SMTP_TLS"]),
        ({**PLAIN_SMTP, "SMTP_HOST": "10.0.0.1"}, ["SMTP_TLS"]),
        ({**PLAIN_SMTP, "SMTP_HOST": "127.0.0.1.example.com"}, ["SMTP_TLS"]),
        ({**PLAIN_SMTP, "SERVER_HOST": "http://example.com"}, ["SERVER_HOST", "SMTP_TLS"]),
        ({**PLAIN_SMTP, "SMTP_HOST": "127.0.0.1"}, []),
        ({**PLAIN_SMTP, "SMTP_HOST": "127.9.9.9"}, []),
        ({**PLAIN_SMTP, "SMTP_HOST": "::1"}, []),
        ({**PLAIN_SMTP, "SMTP_HOST": "LocalHost"}, []),
        ({**PLAIN_SMTP, "SMTP_SSL": "true"}, []),
        ({**PLAIN_SMTP, "SMTP_TLS": "true"}, []),
        ({**PLAIN_SMTP, "EMAILS_ENABLED": "false"}, []),
        ({**PLAIN_SMTP, "SERVER_HOST": "http://x.example", "ENVIRONMENT": "development"}, []),
    ],
    ids=str,
)
def test_unencrypted_connections_log_warnings(
    environment: pytest.MonkeyPatch, values: dict[str, str], warned: list[str]
) -> None:
    values = {"SERVER_HOST": "https://example.com", "EMAILS_FROM_EMAIL": "a@example.com"} | values
    for key, value in values.items():
        environment.setenv(key, value)
    warnings = Settings().warnings()
    assert [line.split("=")[0].split(" ")[0] for line in warnings] == warned


def test_malformed_setting_exits_without_traceback(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("POSTGRES_PORT", "none")
    result = subprocess.run(
        [sys.executable, "-m", "app.main"], capture_output=True, text=True, check=False
    )
    assert result.returncode == 1
    assert "POSTGRES_PORT" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(("module", "warnings"), [("app.backend_pre_start", 1), ("app.main", 0)])
def test_default_secrets_log_one_warning(module: str, warnings: int) -> None:
    """Only the first step of prestart.sh logs the warning. Other programs do not."""
    result = subprocess.run(
        [sys.executable, "-m", module],
        env=os.environ | {"SECRET_KEY": "changethis"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stderr.count("still 'changethis'") == warnings


@pytest.mark.parametrize(("module", "warnings"), [("app.backend_pre_start", 1), ("app.main", 0)])
def test_plain_http_logs_one_warning(module: str, warnings: int) -> None:
    strong = {**REQUIRED, "REDIS_PASSWORD": "x", "ENVIRONMENT": "production"}
    addresses = {
        # Replace the real password, which may be the default one.
        "SQLALCHEMY_DATABASE_URI": make_url(settings.SQLALCHEMY_DATABASE_URI)
        .set(password="another")
        .render_as_string(hide_password=False),
        "CELERY_BROKER_URL": "redis://:x@127.0.0.1:1/0",
        "CELERY_RESULT_BACKEND": "",
        "SERVER_HOST": "http://example.com",
        "BACKEND_CORS_ORIGINS": "",
    }
    result = subprocess.run(
        [sys.executable, "-m", module],
        env=os.environ | strong | addresses,
        capture_output=True,
        text=True,
        check=False,  # After the warning, the database may reject this password.
    )
    assert result.stderr.count("SERVER_HOST") == warnings, result.stderr


def test_tests_use_separate_database() -> None:
    assert "_test_" in str(make_url(settings.SQLALCHEMY_DATABASE_URI).database)
