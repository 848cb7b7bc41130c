"""Write frontend/openapi.json, from which the frontend's client is generated.

Besides the API's schema it holds, as x-error-texts, every text that an answer's `detail` can
have: the page's translations are tested against them. With --check, nothing is written, and it
fails when the file is not that of the API.
"""

# ruff: noqa: E402

import ast
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

BACKEND = Path(__file__).parents[1]
TARGET = BACKEND.parents[1] / "frontend" / "openapi.json"
ERRORS = ("HTTPException", "InvalidGrant", "NotAuthenticated", "ServiceUnavailable")

# The schema doesn't depend on them, but the app does not start without.
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


def error_texts() -> list[str]:
    sources = (BACKEND / "app" / "api").rglob("*.py")
    return sorted({text for path in sources for text in _texts(ast.parse(path.read_text()))})


def _texts(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        values: list[ast.expr] = []
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            values = list(node.args) if node.func.id in ERRORS else []
        elif isinstance(node, ast.arguments) and "detail" in [each.arg for each in node.args]:
            values = list(node.defaults)
        elif isinstance(node, ast.Dict):
            keys = zip(node.keys, node.values, strict=True)
            values = [v for k, v in keys if isinstance(k, ast.Constant) and k.value == "detail"]
        for value in values:
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                yield value.value


def main() -> None:
    # The title is PROJECT_NAME, which must not make the file stale.
    schema = app.openapi() | {"info": {"title": "API", "version": app.version}}
    schema["x-error-texts"] = error_texts()
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
