"""Write frontend/openapi.json, from which the frontend's client is generated.

With --check, the script writes nothing, and fails if the file is out of date.
"""

# ruff: noqa: E402

import json
import os
import sys
from pathlib import Path

BACKEND = Path(__file__).parents[1]
TARGET = BACKEND.parents[1] / "frontend" / "openapi.json"

# The schema does not depend on these settings, but the app needs them to start.
sys.path.insert(0, str(BACKEND))
os.environ |= {
    "ENVIRONMENT": "development",
    "API_V1_STR": "/api/v1",
    "SECRET_KEY": "unused",
    "POSTGRES_PASSWORD": "unused",
    "SQLALCHEMY_DATABASE_URI": "",
    "FIRST_SUPERUSER": "unused@example.com",
    "FIRST_SUPERUSER_PASSWORD": "unused password",
}

from app.main import app


def main() -> None:
    # The real title is PROJECT_NAME. A changed PROJECT_NAME must not make the file out of date.
    schema = app.openapi() | {"info": {"title": "API", "version": app.version}}
    content = json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
    if "--check" not in sys.argv:
        TARGET.write_text(content)
    elif not TARGET.exists() or TARGET.read_text() != content:
        sys.exit(
            "frontend/openapi.json is out of date: run python scripts/export_openapi.py\n"
            "in backend/app, then npm run generate-client in frontend"
        )


if __name__ == "__main__":
    main()
