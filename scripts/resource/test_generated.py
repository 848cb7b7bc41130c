"""Generates, changes and removes resources in a clone of the project, and runs the project's own checks.

The tests build on each other: each uses the state that the one before it left.
"""

import os
import random
import re

import pytest
from docs import blocks

from clone import Project
from fields import MAX_NAME

GENERATE_CUSTOMER, GENERATE_ORDER_LINE, ADD_FIELDS, REMOVE_ITEM = [block.text for block in blocks("resource")]

ORDER_LINES = "app/tests/api/api_v1/test_order_lines.py"
ENDPOINTS = "backend/app/app/api/api_v1/endpoints/order_lines.py"
MODEL = "backend/app/app/models/order_line.py"
SCHEMAS = "backend/app/app/schemas/order_line.py"
FORM = "frontend/src/views/main/order-lines/OrderLineForm.vue"
BROKEN_READ = "crud_order_line.get(db, order_line_id)"


def random_fields(seed: int) -> list[str]:
    """Return fields with random names, types and options. The names include keywords of SQL."""
    chooser = random.Random(seed)
    names = ["order", "group", "select", "end", "type", "value", "x", "n" * MAX_NAME, "with_2_digits", "a_b_c"]
    fields = []
    for name in chooser.sample(names, chooser.randint(3, len(names))):
        low, high = sorted(chooser.sample(range(1, 30), 2))
        kinds = {
            f"str:{chooser.choice([1, 3, 31, 32, 33, 255, 10_000])}": ["", ":required", ":default=x"],
            f"str:{chooser.choice([10, 255])}:unique": ["", ":required"],
            "text": ["", ":required", ':default=it\'s a \\ "text" too'],
            "int": ["", ":required", ":unique", ":default=-1"],
            f"decimal:{high},{low}": ["", ":required", ":default=0"],
            "bool": ["", ":required", ":default=true"],
            "date": ["", ":required"],
            "datetime": ["", ":required"],
            "enum:z,a_b,c3": ["", ":required", ":default=a_b"],
            "ref:item": ["", ":required"],
            "ref:customer": ["", ":required"],
            "ref:user": [""],
            "ref:sample_record": [""],
        }
        kind = chooser.choice(list(kinds))
        fields.append(f"{name}:{kind}{chooser.choice(kinds[kind])}")
    return ["title:str:40:required", *fields]


def test_resources_are_generated(project: Project) -> None:
    """Those of the documentation, and one whose fields differ in each commit."""
    output = project.run(GENERATE_CUSTOMER)
    assert "The resource customer is generated. Next:" in output
    project.run(GENERATE_ORDER_LINE)
    seed = int(os.environ.get("RESOURCE_SEED") or project.run("git rev-parse HEAD")[:8], 16)
    fields = random_fields(seed)
    print(f"RESOURCE_SEED={seed:x}")
    quoted = " ".join("'" + field.replace("'", "'\\''") + "'" for field in fields)
    shared = "--shared" if seed % 2 else ""
    project.run(f"sh ./scripts/resource.sh sample_record {quoted} --plural sample_data {shared}")
    project.commit()


def test_running_stack_is_migrated(project: Project) -> None:
    project.up()
    project.run("sh ./scripts/native.sh exec backend alembic downgrade -3")
    project.run("sh ./scripts/native.sh exec backend alembic upgrade head")
    output = project.run("sh ./scripts/resource.sh short_lived name:str:9")
    assert "The database of the running stack is migrated: alembic upgrade head" in output
    assert "exists already" in project.run("sh ./scripts/resource.sh short_lived name:str:9", status=1)
    # It was never committed, so its revision is deleted.
    output = project.run("sh ./scripts/remove-resource.sh short_lived --force")
    assert "is migrated: alembic downgrade" in output
    assert project.run("git status --porcelain") == ""


def test_fields_are_added(project: Project) -> None:
    """To a resource that was edited by hand: the edits are kept."""
    field = '<FormField v-model="form.title" name="title" />'
    project.edit(ENDPOINTS, "def create_order_line(", "# A comment\ndef create_order_line(")
    project.edit(FORM, field, f"<p>A note</p>\n    {field}")
    assert "uncommitted changes" in project.run(ADD_FIELDS.splitlines()[0], status=1)
    removed = "backend/app/app/tests/crud/test_order_line.py"
    removed_text = project.read(removed)
    (project.folder / removed).unlink()
    project.commit()
    output = project.run(ADD_FIELDS)
    assert f"add the fields to the code of {removed}, which does not exist any more" in output
    assert not (project.folder / removed).exists()
    assert "# A comment" in (project.folder / ENDPOINTS).read_text()
    text = (project.folder / FORM).read_text()
    assert "<p>A note</p>" in text
    assert 'name="discount"' in text
    # It passes without the new fields, because they are optional or have a default.
    (project.folder / removed).write_text(removed_text)
    project.commit()


def test_all_checks_pass(project: Project) -> None:
    project.check()


def test_untranslated_texts_are_named(project: Project) -> None:
    output = project.run("sh ./scripts/native.sh exec frontend node scripts/untranslated.js")
    assert 'needs a translation: "all": "TODO: Customers"' in output


def test_browser_tests_pass(project: Project) -> None:
    project.run("sh ./scripts/native.sh test e2e customers order-lines sample-data")


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        (ENDPOINTS, "get_readable_row(db, crud_order_line, order_line_id, current_user)", BROKEN_READ),
        (ENDPOINTS, "readable_rows(crud_order_line, current_user)", "{}"),
        (ENDPOINTS, 'check_reference(db, crud_item, order_line_in, "item_id", current_user)', "pass"),
        (ENDPOINTS, 'check_reference(db, crud_user, order_line_in, "assignee_id", current_user)', "pass"),
        (SCHEMAS, "    is_public: bool | None = None\n", ""),
        (ENDPOINTS, "if_match.check(order_line)", "pass"),
        (SCHEMAS, "decimal_places=2", "decimal_places=3"),
        (MODEL, '[item_id], lazy="joined"', "[item_id]"),
        (SCHEMAS, "    price: Price | None = None", "    price: float | None = None"),
        (SCHEMAS, 'Literal["open", "done"]', "str"),
        (SCHEMAS, "    starts_at: DateTime | None = None", "    starts_at: datetime | None = None"),
    ],
)
def test_broken_code_fails_the_generated_tests(project: Project, path: str, old: str, new: str) -> None:
    # The tests need only the database and Redis. Others would reload after each change.
    project.run("sh ./scripts/native.sh stop backend celeryworker celerybeat")
    project.edit(path, old, new)
    # The first failure is enough.
    output = project.test_backend(f"-n 0 -x {ORDER_LINES}", status=1)
    assert re.search(r"\d+ failed", output)
    assert "error" not in output.splitlines()[-1]
    project.run("git checkout --quiet .")


def test_conflicts_are_listed(project: Project) -> None:
    schemas = "backend/app/app/schemas/customer.py"
    project.edit(schemas, "    notes: Notes | None = None\n", "    notes: Notes | None = None\n    mine: int = 1\n")
    project.commit()
    output = project.run("sh ./scripts/resource.sh customer --add city:str:80", status=1)
    assert f"in conflict in\n  {schemas}\n" in output
    text = (project.folder / schemas).read_text()
    assert text.count("<<<<<<< yours\n") == text.count(">>>>>>> generated\n") > 0
    project.run("git reset --quiet --hard HEAD~1 && git clean --quiet --force -d")


def test_referenced_resource_is_not_removed(project: Project) -> None:
    output = project.run("sh ./scripts/remove-resource.sh customer", status=1)
    assert "order_line" in output
    assert project.run("git status --porcelain") == ""


def test_item_is_removed(project: Project) -> None:
    before = project.shared_tests()
    assert len(before) > 1000
    for name in ("sample_record", "order_line"):
        project.run(f"sh ./scripts/remove-resource.sh {name}")
        project.commit()
    project.run(REMOVE_ITEM)
    project.commit()
    search = "git grep -lE 'crud_item|models.item|itemsRead' -- backend/app/app frontend"
    assert project.run(search, status=1) == ""
    # The shared browser tests need no resource.
    search = """git grep -lE "main/items|'Items'" -- frontend/tests/e2e"""
    assert project.run(search, status=1) == ""
    # The tests of updates check a project without Item.
    assert project.shared_tests() == before
