import pytest

from app.core.config import Settings

REQUIRED = {
    "SECRET_KEY": "a secret of thirty-two characters",
    "FIRST_SUPERUSER": "Admin@example.com",
    "FIRST_SUPERUSER_PASSWORD": "a password",
    "POSTGRES_PASSWORD": "a password",
    "REDIS_PASSWORD": "a password",
}


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An environment with only the required settings."""
    for name in [*Settings.model_fields, *(f"{name}_FILE" for name in Settings.model_fields)]:
        monkeypatch.delenv(name, raising=False)
    for name, value in REQUIRED.items():
        monkeypatch.setenv(name, value)
    return monkeypatch
