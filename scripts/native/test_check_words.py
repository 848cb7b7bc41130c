import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "check-words.sh"


def check_words(folder: Path, text: str) -> subprocess.CompletedProcess[str]:
    (folder / "scripts").mkdir()
    script = folder / "scripts" / SCRIPT.name
    script.write_text(SCRIPT.read_text())
    (folder / "example.py").write_text(text)
    subprocess.run(["git", "init", "--quiet"], cwd=folder, check=True)
    return subprocess.run(["sh", str(script)], check=False, capture_output=True, text=True)


@pytest.mark.parametrize("comment", ["# Mend it.", "# Build it anew.", "# The server is told to stop."])
def test_listed_words_are_reported_with_their_line(tmp_path: Path, comment: str) -> None:
    result = check_words(tmp_path, f"x = 1\n{comment}\n")
    assert result.returncode == 1
    assert f"example.py:2:{comment}" in result.stdout


def test_other_words_pass(tmp_path: Path) -> None:
    result = check_words(tmp_path, "# Recommend an amendment, and do not mention the classics.\n")
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_failing_search_is_not_reported_as_a_pass(tmp_path: Path) -> None:
    script = tmp_path / "scripts" / SCRIPT.name
    script.parent.mkdir()
    script.write_text(SCRIPT.read_text())
    # git fails, because this folder is not in a repository.
    result = subprocess.run(["sh", str(script)], check=False, capture_output=True, text=True)
    assert result.returncode not in (0, 1)
