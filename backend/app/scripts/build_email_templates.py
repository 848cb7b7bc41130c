"""Build the mails in app/email-templates/build from their sources in src.

An .mjml file of a mail becomes HTML. Text parts and the texts of each language are copied. With
--check, the script writes nothing, and fails if a built file is out of date.
"""

import sys
from pathlib import Path

from mjml import mjml2html

TEMPLATES = Path(__file__).parents[1] / "app" / "email-templates"
# Parts of the mails, which have no file of their own in build.
PARTS = ("style.mjml", "link.mjml")


def build() -> dict[Path, str]:
    """Return the content of each built file."""
    built = {}
    source_dir = TEMPLATES / "src"
    for source in sorted(source_dir.iterdir()):
        target = TEMPLATES / "build" / source.name
        if source.name in PARTS:
            continue
        if source.suffix == ".mjml":
            html = mjml2html(
                source.read_text(),
                fonts={},  # A mail must not load anything from another host.
                include_loader=lambda name: (source_dir / name).read_text(),
            )
            built[target.with_suffix(".html")] = html + "\n"
        else:
            built[target] = source.read_text()
    return built


def main() -> None:
    for target, content in build().items():
        if "--check" not in sys.argv:
            target.write_text(content)
        elif not target.exists() or target.read_text() != content:
            sys.exit(f"{target} is out of date: run python scripts/build_email_templates.py")


if __name__ == "__main__":
    main()
