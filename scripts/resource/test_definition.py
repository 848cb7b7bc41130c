"""What the commands accept, and what they say about everything else."""

import ast
import re
from pathlib import Path

import pytest

import actions
import definition
import generated
from definition import Resource
from fields import parse_field
from render import existing_paths, paths, render
from settings import ROOT
from workspace import Copy, Invalid


@pytest.mark.parametrize(
    ("name", "specs", "message"),
    [
        ("Übung", ["a:int"], "lower-case ASCII"),
        ("OrderLine", ["a:int"], "such as order_line"),
        ("order-line", ["a:int"], "such as order_line"),
        ("class", ["a:int"], "keyword of Python. Choose another, such as class_value"),
        ("list", ["a:int"], "such as list_record"),
        ("x" * 30, ["a:int"], "at most 29 characters"),
        ("news", [], "at least one field"),
        ("order_line", ["a:int", "a:text"], "occurs twice"),
        ("order_line", ["tax_id:str:20"], "such as tax_number"),
        ("order_line", ["order_line:text"], "a name of the resource"),
        ("order_line", ["metadata:text"], "such as metadata_value"),
        ("order_line", ["created_at:datetime"], "used by the generated code"),
        ("order_line", ["from:date"], "keyword of Python"),
        ("order_line", ["größe:int"], "lower-case ASCII"),
        ("order_line", ["a"], "the type is missing. The types are"),
        ("order_line", ["a:money"], "money is not a type. The types are"),
        ("order_line", ["a:str"], "a text of one line"),
        ("order_line", ["a:str:0"], "1 to 10000"),
        ("order_line", ["a:str:x"], "1 to 10000"),
        ("order_line", ["a:decimal"], "price:decimal:12,2"),
        ("order_line", ["a:decimal:12"], "price:decimal:12,2"),
        ("order_line", ["a:decimal:2,2"], "price:decimal:12,2"),
        ("order_line", ["a:enum"], "status:enum:open,done"),
        ("order_line", ["a:enum:in work,done"], "'in work' is not a value"),
        ("order_line", ["a:enum:1st,2nd"], "'1st' is not a value"),
        ("order_line", ["a:enum:x,x"], "occurs twice"),
        ("order_line", ["a:int:unqiue"], "'unqiue' is not an option"),
        ("order_line", ["a:int:default"], "is not an option"),
        ("order_line", ["a:int:default=x"], "'x' is not a valid default"),
        ("order_line", ["a:int:default=2147483648"], "not a valid default"),
        ("order_line", ["a:int:required:default=1"], "either required or has a default"),
        ("order_line", ["a:decimal:4,2:default=1.001"], "not a valid default"),
        ("order_line", ["a:enum:x,y:default=z"], "not a valid default"),
        ("order_line", ["a:date:default=today"], "can't have a default"),
        ("order_line", ["a:text:unique"], "only int, and str of 4 to 600 characters, can be unique"),
        ("order_line", ["a:str:3:unique"], "only int, and str of 4 to 600 characters, can be unique"),
        ("order_line", ["a:str:601:unique"], "only int, and str of 4 to 600 characters, can be unique"),
        ("step2", ["a:int"], "two or more letters, without digits"),
        ("a_b", ["a:int"], "two or more letters, without digits"),
        ("none", ["a:int"], "such as none_value"),
        ("body", ["a:int"], "such as body_record"),
        ("order_line", ["line1:str:9", "line_1:str:9"], "almost the same name"),
        ("order_line", ["active:bool", "is_active:bool"], "almost the same name"),
        ("order_line", ["self:text"], "such as self_value"),
        ("order_line", ["a:enum:x"], "at least two values"),
        ("order_line", ["a:bool:required:default=true"], "either required or has a default"),
        ("order_line", ["a:text:default='x'"], "not a valid default"),
        ("order_line", ["a:text:default=</script>"], "not a valid default"),
        ("order_line", ["a:text:default=ä"], "not a valid default"),
        ("order_line", [f"a:text:default={'x' * 51}"], "not a valid default"),
        ("order_line", ["model_dump:text"], "such as model_dump_value"),
        ("order_line", ["order_line_create:enum:a,b"], "a name of the resource"),
        ("order_line", ["a:ref:user:required"], "only superusers can set it"),
        ("order_line", ["a:ref:order_line:required"], "the first row has nothing to refer to"),
    ],
)
def test_invalid_definition_is_rejected(name: str, specs: list[str], message: str) -> None:
    with pytest.raises(Invalid, match=re.escape(message)):
        definition.create(name, specs)


@pytest.mark.parametrize("name", ["order", "group", "table_row", "select", "end", "desc"])
def test_keywords_of_sql_are_names(name: str) -> None:
    assert definition.create(name, [f"{name}_by:int"]).name == name


@pytest.mark.parametrize(
    ("name", "plural"),
    [("item", "items"), ("category", "categories"), ("day", "days"), ("box", "boxes"), ("address", "addresses")],
)
def test_plural(name: str, plural: str) -> None:
    assert definition.create(name, ["a:int"]).plural == plural


def test_plural_must_differ() -> None:
    with pytest.raises(Invalid, match="the plural must differ"):
        definition.create("news", ["a:int"], plural="news")


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("phone:str:32:required", "give it a default (phone:str:32:default=VALUE)"),
        ("due_on:date:required", "make it optional (due_on:date)"),
        ("title:text", "occurs twice"),
    ],
)
def test_added_field_needs_a_value_for_existing_rows(spec: str, message: str) -> None:
    item = definition.create("item", ["title:str:255:required"])
    with pytest.raises(Invalid, match=re.escape(message)):
        definition.add_fields(item, [spec])


ITEM = definition.create("item", ["title:str:255:required"])
TAG = definition.create("tag", ["item:ref:item", "weight:int"])


@pytest.mark.parametrize(
    ("resource", "message"),
    [
        (ITEM, "exists already"),
        (definition.create("thing", ["a:int"], plural="items"), "has the same names"),
        (definition.create("token", ["a:int"]), "the name Token is taken. Choose another, such as token_record"),
        (definition.create("path_id", ["a:int"]), "the name PathId is taken"),
        (definition.create("list_table", ["a:int"]), "the name ListTable is taken"),
        (definition.create("survey", ["a:int"], plural="survey_form"), "two files would have the same name"),
        (definition.create("sample_note", ["a:int"]), "utils/sample_note.py exists already"),
        (definition.create("login_record", ["a:int"], plural="login"), "endpoints/login.py exists already"),
    ],
)
def test_existing_names_are_rejected(resource: Resource, message: str) -> None:
    with pytest.raises(Invalid, match=re.escape(message)):
        actions.check_new(resource, {"item": ITEM})


@pytest.mark.parametrize(
    ("resource", "message"),
    [
        (definition.create("note", ["part:ref:parts"]), "there is no resource parts. There are item, tag, user"),
        (definition.create("note", ["tag:ref:tag"]), "tag has no field to show"),
        (definition.create("item", ["title:str:9:required", "note:ref:note"]), "note already refers to item"),
    ],
)
def test_invalid_references_are_rejected(resource: Resource, message: str) -> None:
    note = definition.create("note", ["title:str:9:required", "item:ref:item"])
    others = {"item": ITEM, "tag": TAG} | ({"note": note} if resource.name == "item" else {})
    with pytest.raises(Invalid, match=re.escape(message)):
        actions.check_references(resource, others)


@pytest.mark.parametrize(
    "name",
    ["session", "user", "text", "string", "numeric", "foreign_key", "any", "owned_base", "request", "query", "error"],
)
def test_names_of_classes_are_rejected(name: str) -> None:
    """Classes of the generated files, of their imports, and of the API."""
    with pytest.raises(Invalid, match="Choose another"):
        actions.check_new(definition.create(name, ["a:int"]), {})


def test_default_with_quotes_is_escaped() -> None:
    default = "a\"b'c\\nd"
    field = parse_field(f"mark:str:20:default={default}")
    files = render(Resource("note", "notes", shared=False, fields=(field,)), {}, {})
    for path in ("models/note.py", "schemas/note.py"):
        tree = ast.parse(files[f"backend/app/app/{path}"])
        assert default in [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]


def test_item_is_generated_from_its_definition(tmp_path: Path) -> None:
    """The templates are the single source of how a resource looks."""
    resources = definition.read_all(ROOT)
    item = resources["item"]
    assert (ROOT / definition.DEFINITIONS / "item.json").read_text() == item.definition()
    copy = Copy(ROOT, tmp_path / "project")
    for path in paths(item):
        copy.remove(path)
    actions.write(copy, render(item, resources, {}))
    assert copy.changes() == {}


def test_further_browser_tests_belong_to_the_resource(tmp_path: Path) -> None:
    folder = tmp_path / "frontend/tests/e2e"
    folder.mkdir(parents=True)
    own = [folder / "orders.spec.ts", folder / "orders.undo.spec.ts"]
    for file in (*own, folder / "orders-archive.spec.ts", folder / "frame.spec.ts"):
        file.touch()
    order = Resource("order", "orders", shared=False, fields=())
    assert [tmp_path / path for path in existing_paths(order, tmp_path)] == own


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    (root / "folder").mkdir(parents=True)
    for name in ("changed", "removed", "kept"):
        (root / "folder" / name).write_text("before")
    return root


@pytest.fixture
def copy(project: Path, tmp_path: Path) -> Copy:
    copy = Copy(project, tmp_path / "copy")
    copy.write("folder/changed", "after")
    copy.write("new/added", "after")
    copy.remove("folder/removed")
    return copy


def contents(root: Path) -> dict[str, str]:
    files = (each for each in root.rglob("*") if each.is_file())
    return {str(each.relative_to(root)): each.read_text() for each in files}


BEFORE = {"folder/changed": "before", "folder/removed": "before", "folder/kept": "before"}


def test_changes_are_applied(project: Path, copy: Copy) -> None:
    assert list(copy.apply()) == ["folder/changed", "folder/removed", "new/added"]
    assert contents(project) == {"folder/changed": "after", "folder/kept": "before", "new/added": "after"}


def test_read_only_file_prevents_all_changes(project: Path, copy: Copy) -> None:
    (project / "folder/changed").chmod(0o444)
    with pytest.raises(Invalid, match=r"folder/changed is read-only\. Nothing was changed"):
        copy.apply()
    assert contents(project) == BEFORE


def test_edit_in_between_prevents_all_changes(project: Path, copy: Copy) -> None:
    (project / "folder/removed").write_text("edited")
    with pytest.raises(Invalid, match="folder/removed was changed meanwhile"):
        copy.apply()
    assert contents(project) == BEFORE | {"folder/removed": "edited"}


def test_failing_write_leaves_nothing(project: Path, copy: Copy, monkeypatch: pytest.MonkeyPatch) -> None:
    written = Path.write_bytes

    def fail(path: Path, content: bytes) -> int:
        if path.name == "added.part":
            raise OSError(28, "No space left on device", str(path))
        return written(path, content)

    monkeypatch.setattr(Path, "write_bytes", fail)
    with pytest.raises(Invalid, match=r"No space left on device\. Nothing was changed"):
        copy.apply()
    assert contents(project) == BEFORE


def test_failing_program_changes_nothing(project: Path, copy: Copy) -> None:
    copy.write("new/code.py", "not Python(")
    with pytest.raises(Invalid, match="Nothing was changed"):
        generated.format_files(copy, ["new/code.py"])
    assert contents(project) == BEFORE
