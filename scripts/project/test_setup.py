"""setup.sh, in a clone."""

import json
import re
import stat
from dataclasses import replace
from pathlib import Path

import pytest

import names
from clone import NAME, SETUP, Clone
from env_file import read as read_env
from settings import ROOT
from workspace import Folder, Invalid


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """A clone that was never named, also in a project that was. Its names occur nowhere else."""
    clone = Clone(tmp_path_factory.mktemp("setup") / "template")
    email = "admin@quartz.example.com"
    clone.run(f"sh ./scripts/setup.sh --name 'Quartz name' --slug quartz --domain quartz.example.com --email {email}")
    record = json.loads(clone.read(names.RECORD))
    del record["template"]
    (clone.folder / names.RECORD).write_text(json.dumps(record))
    (clone.folder / "VERSION").write_text("1.2.3\n")
    (clone.folder / ".env.production").unlink()
    clone.commit()
    return clone


@pytest.fixture
def clone(pristine: Clone, tmp_path: Path) -> Clone:
    return Clone(tmp_path / "with space", pristine.folder)


def test_every_place_exists() -> None:
    """A place that is not found would keep the old name."""
    current, _ = names.read(ROOT)
    for path, places in names.PLACES.items():
        for place in places:
            assert current.fill(place) in (ROOT / path).read_text(), path


def test_names_are_written_everywhere(clone: Clone) -> None:
    clone.run(SETUP)
    clone.run("git add --all")
    env, frontend = read_env(clone.folder / ".env"), read_env(clone.folder / "frontend/.env")
    assert env["PROJECT_NAME"] == frontend["VUE_APP_NAME"] == NAME
    assert env["STACK_NAME"] == env["TRAEFIK_TAG"] == "mullers-sohne-shop-1"
    assert env["FIRST_SUPERUSER"] == "me+shop@example.net"
    assert env["EMAILS_FROM_EMAIL"] == "info@shop.example.org"
    assert frontend["VUE_APP_DOMAIN_PROD"] == "shop.example.org"
    assert f'PROJECT_NAME: str = "{NAME}"\n' in clone.read("backend/app/app/core/config.py")
    readme = clone.read("README.md")
    assert readme.startswith(f"# {NAME}\n")
    assert readme.count("me+shop@example.net") == 2
    assert clone.read("CHANGELOG.md").endswith("\n## Unreleased\n")
    found = clone.run("git grep -inE 'quartz|fastapi[ _-]template'", status=None).splitlines()
    # Names that are no longer the project's, this test, and a domain of the original template.
    allowed = re.compile(
        r"docs/from-the-original-template\.md|scripts/project/test_setup\.py|dev\.fastapi.template\.heroku"
    )
    assert [line for line in found if not allowed.search(line)] == []


def test_template_is_recorded(clone: Clone) -> None:
    clone.run(SETUP)
    _, template = names.read(clone.folder)
    assert template == {"version": "1.2.3", "origin": clone.run("git remote get-url origin").strip()}
    assert not (clone.folder / "VERSION").exists()


def test_folder_without_git_has_no_origin(clone: Clone) -> None:
    clone.run(f"rm -rf .git && {SETUP}")
    assert names.read(clone.folder)[1] == {"version": "1.2.3", "origin": ""}


def test_origin_of_a_surrounding_repository_is_not_recorded(clone: Clone) -> None:
    outer = clone.folder.parent
    clone.run(f"mv .git {outer}/.git && rm -rf .git && {SETUP}")
    assert names.read(clone.folder)[1]["origin"] == ""


def test_token_in_the_origin_is_not_recorded(clone: Clone) -> None:
    clone.run("git remote set-url origin https://me:secret@git.example.com/template.git")
    clone.run(SETUP)
    assert names.read(clone.folder)[1]["origin"] == "https://git.example.com/template.git"


def test_secrets_are_random_private_and_ignored(clone: Clone) -> None:
    clone.run(SETUP)
    file = clone.folder / ".env.production"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    values = read_env(file)
    assert {name for name, value in read_env(clone.folder / ".env").items() if "changethis" in value} == set(values)
    assert values["FLOWER_BASIC_AUTH"].startswith("admin:")
    assert len(set(values.values())) == len(values)
    assert all(len(value) >= 64 for value in values.values())
    assert ".env.production" not in clone.run("git status --porcelain --untracked-files=all")


def test_secrets_must_be_ignored(clone: Clone) -> None:
    (clone.folder / ".gitignore").write_text("node_modules/\n")
    clone.commit()
    assert "git does not ignore .env.production: add it to .gitignore" in clone.run(SETUP, status=1)
    assert not (clone.folder / ".env.production").exists()
    assert clone.run("git status --porcelain --untracked-files=no") == ""


@pytest.mark.parametrize("path", [".env", ".env.production"])
def test_unreadable_settings_prevent_all_changes(clone: Clone, path: str) -> None:
    (clone.folder / path).write_bytes(b"\xff")
    clone.run("git commit --quiet --all --allow-empty --message Change")
    assert ".env or .env.production can't be read" in clone.run(SETUP, status=1)
    assert clone.run("git status --porcelain") == ""


def test_existing_secrets_are_kept(clone: Clone, tmp_path: Path) -> None:
    """Also if the file is a link."""
    file = tmp_path / "secrets"
    file.write_text("SECRET_KEY=mine")
    (clone.folder / ".env.production").symlink_to(file)
    clone.run(SETUP)
    assert file.read_text().startswith("SECRET_KEY=mine\nFIRST_SUPERUSER_PASSWORD=")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_questions_are_asked_until_the_answer_is_valid(clone: Clone) -> None:
    output = clone.run("sh ./scripts/setup.sh", stdin='My "shop"\nMy shop\n\nlocalhost\nshop.example.org\n\n')
    assert 'Name of the project: the name must not contain "' in output
    assert "Email of the first administrator [admin@shop.example.org]: Changed:" in output
    assert "The project is My shop (my-shop) at shop.example.org." in output


def test_first_run_needs_every_answer(clone: Clone) -> None:
    output = clone.run("sh ./scripts/setup.sh", stdin="My shop\nshop\nshop.example.org\nnobody\n", status=1)
    assert output.endswith("the email is missing: add --email.\n")
    assert clone.run("git status --porcelain") == ""


def test_name_without_latin_letters_needs_a_slug(clone: Clone) -> None:
    options = "--domain shop.example.org --email me@example.net"
    assert "the slug is missing: add --slug." in clone.run(f"sh ./scripts/setup.sh --name Магазин {options}", status=1)
    clone.run(f"sh ./scripts/setup.sh --name Магазин --slug my-shop {options}")
    assert "PROJECT_NAME=Магазин\n" in clone.read(".env")
    assert "STACK_NAME=my-shop\n" in clone.read(".env")


def test_second_run_changes_only_what_is_asked(clone: Clone) -> None:
    clone.run(SETUP)
    clone.edit("README.md", NAME, "A title of mine")
    clone.edit("CHANGELOG.md", "Unreleased", "Mine")
    clone.commit()
    secrets = clone.read(".env.production")
    output = clone.run("sh ./scripts/setup.sh --name Shop")
    assert f"change them yourself:\n  README.md: # {NAME}\n" in output
    assert "The slug is unchanged" in output
    changed = {".env", "backend/app/app/core/config.py", "frontend/.env", names.RECORD}
    assert set(clone.run("git diff --name-only").split()) == changed
    clone.commit()
    # The new domain contains the old one.
    clone.run("sh ./scripts/setup.sh --domain www.shop.example.org --slug shop")
    assert "VUE_APP_DOMAIN_STAG=stag.www.shop.example.org\n" in clone.read("frontend/.env")
    deployment = clone.read("docs/deployment.md")
    assert "DOMAIN=www.shop.example.org STACK_NAME=shop TRAEFIK_TAG=shop" in deployment
    assert "ACME_EMAIL=me+shop@example.net" in deployment
    clone.run("sh ./scripts/setup.sh --email me@www.shop.example.org")
    clone.run("sh ./scripts/setup.sh --domain example.net")
    assert "ACME_EMAIL=me@www.shop.example.org" in clone.read("docs/deployment.md")
    assert "PROJECT_NAME=Shop\n" in clone.read(".env")
    assert clone.read(".env.production") == secrets
    clone.commit()
    assert clone.run("sh ./scripts/setup.sh", stdin="\n\n\n\n").endswith("Nothing to change.\n")
    assert "(shop) at shop.example.com" in clone.run("sh ./scripts/setup.sh", stdin="\n\nshop.example.com\n\n")
    clone.run("git checkout --quiet .")
    assert clone.run("git status --porcelain") == ""


VALID = {"name": "Shop", "slug": "shop", "domain": "shop.example.org", "email": "me@example.net"}


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("name", "", "the name is empty"),
        ("name", " \n ", "the name is empty"),
        ("name", "x" * 200, "the name has 200 characters: use at most 60"),
        ("name", 'My "shop"', "must not contain"),
        ("name", "a\\b", "must not contain"),
        ("name", "$HOME", "must not contain"),
        ("name", "a<b", "must not contain"),
        ("name", "a&lt;b", "must not contain"),
        ("name", "a\0b", "must not contain"),
        ("name", "a\u202eb", "must not contain"),
        ("slug", "My-Shop", "the slug 'My-Shop' is not valid"),
        ("slug", "a" * 36, "at most 35"),
        ("slug", "-a", "is not valid"),
        ("domain", "localhost", "the domain 'localhost' is not valid"),
        ("domain", "https://shop.example.org", "is not valid"),
        ("domain", "shop.example.org/x", "is not valid"),
        ("domain", "shop..org", "is not valid"),
        ("domain", "-a.example.org", "is not valid"),
        ("domain", "1.2.3.4", "is not valid"),
        ("domain", "shop.example.org:80", "is not valid"),
        ("domain", "müller.de", "xn--"),
        ("domain", f"{'a' * 64}.example.org", "is not valid"),
        ("domain", f"{'a.' * 125}org", "is not valid"),
        ("domain", "shop.local", "not public"),
        ("email", "nobody", "the email 'nobody' is not valid"),
        ("email", "a@b@example.org", "is not valid"),
        ("email", "a b@example.org", "is not valid"),
        ("email", "a..b@example.org", "is not valid"),
        ("email", f"{'a' * 65}@example.org", "is not valid"),
        ("email", "a@localhost", "is not valid"),
        ("email", "ü@example.org", "is not valid"),
    ],
)
def test_invalid_input_is_named(field: str, value: str, message: str) -> None:
    with pytest.raises(Invalid) as caught:
        names.Names.create(**{**VALID, field: value})
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Müller's Shop", "mullers-shop"),
        ("Straße 7", "strasse-7"),
        ("  A   B/C_d  ", "a-b-c-d"),
        ("Ever " * 12, "ever-ever-ever-ever-ever-ever-ever"),
        ("Магазин", ""),
        ("3D shop", ""),
    ],
)
def test_slug_is_derived(name: str, slug: str) -> None:
    assert names.derive_slug(names.check_name(name)) == slug


def test_only_whole_names_are_replaced(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    text = "shop.example.org, www.shop.example.org; my-shop.example.org, shop.example.organic\n"
    folder.write("docs/development.md", text)
    old = names.Names("Shop", "shop", "shop.example.org", "me@example.net")
    assert names.rename(folder, old, replace(old, domain="new.org")) == []
    assert folder.read("docs/development.md") == ("new.org, www.new.org; my-shop.example.org, shop.example.organic\n")


def test_rejected_input_changes_nothing(clone: Clone) -> None:
    output = clone.run("sh ./scripts/setup.sh --name Shop --domain nowhere --email me@example.net", status=1)
    assert output == ("setup.sh: the domain 'nowhere' is not valid: enter one such as shop.example.org.\n")
    assert "the domain is missing: add --domain." in clone.run("sh ./scripts/setup.sh --name Shop", status=1)
    assert clone.run("git status --porcelain") == ""
    assert not (clone.folder / ".env.production").exists()


def test_read_only_file_prevents_all_changes(clone: Clone) -> None:
    (clone.folder / "frontend/.env").chmod(0o444)
    assert "frontend/.env is read-only. Nothing was changed" in clone.run(SETUP, status=1)
    assert clone.run("git status --porcelain") == ""
    assert not (clone.folder / ".env.production").exists()


def test_damaged_record_is_named(clone: Clone) -> None:
    (clone.folder / names.RECORD).write_text("{")
    assert f"{names.RECORD} can't be read: restore it from git." in clone.run(SETUP, status=1)


def test_changed_administrator_of_an_existing_database_is_explained(clone: Clone) -> None:
    (clone.folder / ".native/data/db").mkdir(parents=True)
    old, _ = names.read(clone.folder)
    output = clone.run(SETUP)
    assert f"The existing database keeps the administrator {old.email}." in output
    assert "native.sh down -v" in output
