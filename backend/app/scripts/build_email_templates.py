"""Build the mails in app/email-templates/build from their sources in src.

An .mjml file becomes HTML. A .txt file is the mail's text part and is copied. With --check, the
script writes nothing, and fails if a built file is out of date.
"""

import sys
from pathlib import Path

from mjml import mjml2html

TEMPLATES = Path(__file__).parents[1] / "app" / "email-templates"


def build() -> dict[Path, str]:
    """Return the content of each built file."""
    built = {}
    for source in sorted((TEMPLATES / "src").iterdir()):
        target = TEMPLATES / "build" / source.name
        if source.suffix == ".mjml":
            # No fonts: a mail must not load anything from another host.
            built[target.with_suffix(".html")] = mjml2html(source.read_text(), fonts={}) + "\n"
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
