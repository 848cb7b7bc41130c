"""env_file.py reads the same values as Docker Compose, whose results are recorded in env_cases.json.

If Compose is installed, its current results are compared with the recorded ones. To record them again:
python scripts/native/test_env_file.py
"""

import json
import os
import re
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest

import env_file
import environment

RECORDED = Path(__file__).with_name("env_cases.json")
# Pairs: the content of a file, and the variables that Compose reads from it, or null if Compose fails.
CASES: list[tuple[str, dict[str, str] | None]] = json.loads(RECORDED.read_text())


def compose_config(folder: Path, services: dict[str, Any]) -> dict[str, Any] | None:
    (folder / "compose.json").write_text(json.dumps({"services": services}))
    command = ["docker", "compose", "--file", "compose.json", "config", "--format", "json"]
    # Some cases expand this variable.
    env = {**os.environ, "SET": "expanded"}
    result = subprocess.run(command, cwd=folder, env=env, check=False, capture_output=True, text=True)
    return dict(json.loads(result.stdout)["services"]) if result.returncode == 0 else None


def compose_reads(contents: list[str]) -> list[dict[str, str] | None]:
    """Return the variables that Compose reads from files with these contents, or None if Compose fails."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        services: dict[str, Any] = {}
        for number, content in enumerate(contents):
            (folder / f"{number}.env").write_bytes(content.encode())
            service = {f"s{number}": {"image": "none", "env_file": f"{number}.env"}}
            if compose_config(folder, service) is not None:
                services |= service
        found = compose_config(folder, services) or {}
    environments = [found[f"s{n}"].get("environment") or {} if f"s{n}" in found else None for n in range(len(contents))]
    # The output is a Compose file, in which dollar signs are doubled.
    return [env and {key: value.replace("$$", "$") for key, value in env.items()} for env in environments]


@pytest.mark.parametrize(("content", "expected"), CASES, ids=[content for content, _ in CASES])
def test_accepted_values_match_compose(tmp_path: Path, content: str, expected: dict[str, str] | None) -> None:
    file = tmp_path / ".env"
    file.write_bytes(content.encode())
    try:
        found = env_file.read(file)
    except ValueError as error:
        message = str(error)
    else:
        assert found == expected
        return
    assert re.match(rf"\S* in {re.escape(str(file))} \(line \d\): ", message)


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("X='${SET}'", "${SET}"),
        ("X='$$'", "$$"),
        ("X='pa$$w0rd # \"`{}'", 'pa$$w0rd # "`{}'),
        ("X='it\\'s'", "it's"),
        ("X='C:\\new'", "C:\\new"),
        ('X=["http://a", "b"]', '["http://a", "b"]'),
        ("X=@/%;&|!*`", "@/%;&|!*`"),
        ("export X = y # comment", "y"),
    ],
)
def test_special_characters_can_be_written(tmp_path: Path, line: str, value: str) -> None:
    file = tmp_path / ".env"
    file.write_text(f"{line}\n")
    assert env_file.read(file) == {"X": value}
    assert [f"{line}\n", {"X": value}] in json.loads(RECORDED.read_text())


@pytest.mark.parametrize("line", ["X=${SET}", 'X="$SET"', "X=pa$$word", "X='a'b", "X: y", "X='open", "X='a\\\\b'"])
def test_ambiguous_setting_is_rejected_and_named(tmp_path: Path, line: str) -> None:
    file = tmp_path / ".env"
    file.write_text(f"A=1\n{line}\n")
    with pytest.raises(ValueError, match=r"^X in .*\(line 2\).*single quotes"):
        env_file.read(file)


def test_other_encoding_is_rejected(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_bytes("X=ä\n".encode("latin-1"))
    with pytest.raises(ValueError, match="UTF-8"):
        env_file.read(file)


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"\.env can't be read: No such file"):
        env_file.read(tmp_path / ".env")


@pytest.mark.parametrize("folder", ["", "frontend"])
def test_ambiguous_setting_of_either_env_file_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str
) -> None:
    (tmp_path / "frontend").mkdir()
    for place in ("", "frontend"):
        (tmp_path / place / ".env").write_text("POSTGRES_USER=a\nPOSTGRES_PASSWORD=a\nPOSTGRES_DB=a\n")
    (tmp_path / folder / ".env").write_text("VUE_APP_NAME=pa$word\n")
    monkeypatch.setattr(environment, "ROOT", tmp_path)
    with pytest.raises(SystemExit, match=r"VUE_APP_NAME in .*\(line 1\)"):
        environment.environment({})


@pytest.mark.skipif(
    subprocess.run("docker compose version", shell=True, check=False, capture_output=True).returncode != 0,
    reason="Docker Compose is not installed: its recorded values are used",
)
def test_recorded_values_are_current() -> None:
    assert compose_reads([content for content, _ in CASES]) == [expected for _, expected in CASES]


if __name__ == "__main__":
    contents = [content for content, _ in CASES]
    lines = ",\n".join(json.dumps(case) for case in zip(contents, compose_reads(contents), strict=True))
    RECORDED.write_text(f"[\n{lines}\n]\n")
