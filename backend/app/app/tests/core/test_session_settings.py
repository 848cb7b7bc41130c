"""SECRET_KEY_FALLBACKS, and how long a session lasts."""

from pathlib import Path

import pytest

from app.core.config import Settings, load_settings

KEYS = ["an older secret of thirty-two bytes", "the oldest secret of 32 bytes or so"]


@pytest.mark.parametrize("value", [", ".join(KEYS), f'["{KEYS[0]}", "{KEYS[1]}"]'])
def test_fallback_keys_may_be_json_or_comma_separated(
    environment: pytest.MonkeyPatch, tmp_path: Path, value: str
) -> None:
    environment.setenv("SECRET_KEY_FALLBACKS", value)
    assert load_settings().SECRET_KEY_FALLBACKS == KEYS
    environment.delenv("SECRET_KEY_FALLBACKS")
    file = tmp_path / "keys"
    file.write_text(f"{value}\n")
    environment.setenv("SECRET_KEY_FALLBACKS_FILE", str(file))
    assert load_settings().SECRET_KEY_FALLBACKS == KEYS


@pytest.mark.parametrize(
    "value",
    [
        "x",
        "x" * 31,
        "changethis",
        f"changethis {KEYS[0]}",
        f"{KEYS[0]}, short",
        f'["{KEYS[0]}", ""]',
        f'["{KEYS[0]}", "{" " * 31}"]',
    ],
)
def test_weak_fallback_keys_are_rejected_outside_development(
    environment: pytest.MonkeyPatch, value: str
) -> None:
    """A token signed with any of the keys is accepted, so each key must be strong."""
    environment.setenv("SECRET_KEY_FALLBACKS", value)
    for elsewhere in ("staging", "production", ""):
        environment.setenv("ENVIRONMENT", elsewhere)
        with pytest.raises(SystemExit, match="SECRET_KEY_FALLBACKS") as error:
            load_settings()
        assert KEYS[0] not in str(error.value)
    environment.setenv("ENVIRONMENT", "development")
    load_settings()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_KEY_FALLBACKS", '["unclosed'),
        ("SECRET_KEY_FALLBACKS", "[1]"),
        ("SESSION_IDLE_HOURS", "0"),
        ("SESSION_IDLE_HOURS", "8761"),
        ("SESSION_IDLE_HOURS", "1.5"),
        ("SESSION_IDLE_HOURS", "a week"),
        ("SESSION_MAX_HOURS", "0"),
        ("SESSION_MAX_HOURS", "8761"),
    ],
)
def test_malformed_setting_is_named(environment: pytest.MonkeyPatch, name: str, value: str) -> None:
    environment.setenv(name, value)
    with pytest.raises(SystemExit, match=name):
        load_settings()


def test_idle_session_ends_at_the_maximum(environment: pytest.MonkeyPatch) -> None:
    """Nobody who shortens SESSION_MAX_HOURS has to change SESSION_IDLE_HOURS too."""
    environment.setenv("SESSION_MAX_HOURS", "12")
    assert Settings().SESSION_IDLE_HOURS == 12
    environment.setenv("SESSION_IDLE_HOURS", "1")
    assert Settings().SESSION_IDLE_HOURS == 1
