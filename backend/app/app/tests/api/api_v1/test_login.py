import hmac
import json
from base64 import urlsafe_b64encode
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from jose import jwt
from sqlalchemy.orm import Session

from app import crud
from app.core import security
from app.core.config import settings
from app.models import User, UserSession
from app.tests.utils.user import (
    access_token,
    auth_headers,
    bearer,
    create_random_user,
    start_session,
    user_authentication_headers,
)
from app.tests.utils.utils import random_email, random_lower_string
from app.utils import generate_mailed_token, generate_password_reset_token

LOGIN = f"{settings.API_V1_STR}/login/access-token"
TEST_TOKEN = f"{settings.API_V1_STR}/login/test-token"
RESET = f"{settings.API_V1_STR}/reset-password/"
PASSWORD = "the right password"


def test_get_access_token(client: TestClient) -> None:
    form = {"username": settings.FIRST_SUPERUSER, "password": settings.FIRST_SUPERUSER_PASSWORD}
    response = client.post(LOGIN, data=form)
    assert response.status_code == 200
    assert response.json()["token_type"] == "bearer"
    assert response.json()["access_token"]
    assert response.json()["expires_in"] == settings.ACCESS_TOKEN_EXPIRE_MINUTES * 60
    assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("active", "typed", "text", "code"),
    [
        (True, "wrong password", "Incorrect email or password", "incorrect_credentials"),
        (False, "wrong password", "Incorrect email or password", "incorrect_credentials"),
        (False, PASSWORD, "Inactive user", "inactive_account"),
    ],
)
def test_rejected_login_is_an_oauth2_error(
    client: TestClient, db: Session, active: bool, typed: str, text: str, code: str
) -> None:
    """OAuth2 clients read `error` (RFC 6749, section 5.2).

    Only a caller with the correct password learns that the user is inactive.
    """
    user = create_random_user(db, password=PASSWORD, is_active=active)
    response = client.post(LOGIN, data={"username": user.email, "password": typed})
    assert response.status_code == 400
    assert response.json() == {
        "detail": text,
        "code": code,
        "error": "invalid_grant",
        "error_description": text,
    }
    assert response.headers["Cache-Control"] == "no-store"


def test_login_ignores_case_of_email(client: TestClient) -> None:
    form = {
        "username": settings.FIRST_SUPERUSER.upper(),
        "password": settings.FIRST_SUPERUSER_PASSWORD,
    }
    assert client.post(LOGIN, data=form).status_code == 200


@pytest.mark.parametrize("password", ["wrong password", "", "x" * 10_000, "a\0b", "пароль🔑"])
@pytest.mark.parametrize("known", [True, False])
def test_unknown_user_and_wrong_password_are_indistinguishable(
    client: TestClient, known: bool, password: str
) -> None:
    username = settings.FIRST_SUPERUSER if known else random_email()
    response = client.post(LOGIN, data={"username": username, "password": password})
    if password:
        assert response.status_code == 400
        assert response.json()["detail"] == "Incorrect email or password"
    else:
        assert response.status_code == 422


@pytest.mark.parametrize("username", ["not an email", "a\0b@example.com", "x" * 10_000])
def test_malformed_username_is_rejected(client: TestClient, username: str) -> None:
    response = client.post(LOGIN, data={"username": username, "password": "password"})
    assert response.status_code == 400


@pytest.mark.parametrize(
    "form",
    [
        "text/plain",
        "multipart/form-data; boundary=X; charset=raw_unicode_escape",
        "multipart/form-data; boundary=X; charset=utf-7",
        "multipart/form-data; boundary=Y",
        "multipart/form-data",
        "application/json",
    ],
)
@pytest.mark.parametrize("username", ["\\ud800@example.com", "+2AA-@example.com", "x"])
def test_malformed_form_is_rejected(client: TestClient, form: str, username: str) -> None:
    parts = {"username": username, "password": "password"}
    content = "".join(
        f'--X\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in parts.items()
    )
    response = client.post(LOGIN, content=content + "--X--\r\n", headers={"Content-Type": form})
    assert response.status_code in (400, 422)
    if response.status_code == 400:
        assert response.json()["detail"] == "Incorrect email or password"


def test_too_many_form_fields_are_rejected(client: TestClient) -> None:
    response = client.post(LOGIN, data={str(number): "x" for number in range(3000)})
    assert response.status_code == 422


@pytest.mark.parametrize("password", ["wrong password", "x" * 5000])
def test_login_time_does_not_reveal_users(
    client: TestClient, db: Session, monkeypatch: pytest.MonkeyPatch, password: str
) -> None:
    hashed: list[str] = []

    def counting(method: Callable[[str | bytes, str], Any]) -> Callable[[str | bytes, str], Any]:
        def count(secret: str | bytes, stored: str) -> Any:
            result = method(secret, stored)
            hashed.append(stored)
            return result

        return count

    # For an unknown user, passlib's dummy_verify calls `verify`.
    for name in ("verify_and_update", "verify"):
        method = getattr(security.password_context, name)
        monkeypatch.setattr(security.password_context, name, counting(method))
    for email in (create_random_user(db).email, random_email()):
        client.post(LOGIN, data={"username": email, "password": password})
    known, unknown = hashed
    # The same algorithm with the same parameters takes the same time.
    assert known.split("$")[:4] == unknown.split("$")[:4]


def test_use_access_token(superuser_client: TestClient) -> None:
    response = superuser_client.post(TEST_TOKEN)
    assert response.status_code == 200
    assert response.json()["email"] == settings.FIRST_SUPERUSER


def test_missing_token_is_401(client: TestClient) -> None:
    response = client.post(TEST_TOKEN)
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == "Bearer"
    assert response.json() == {"detail": "Not authenticated", "code": "not_authenticated"}


@pytest.mark.parametrize("header", ["Basic YTpi", "garbage", "Bearer"])
def test_other_auth_scheme_is_401(client: TestClient, header: str) -> None:
    response = client.post(TEST_TOKEN, headers={"Authorization": header})
    assert response.status_code == 401
    assert response.json() == {"detail": "Could not validate credentials", "code": "invalid_token"}


def forged_tokens(user: User, session: UserSession) -> dict[str, str]:
    good = access_token(session)
    claims = jwt.get_unverified_claims(good)
    key = settings.SECRET_KEY
    mailed = generate_password_reset_token(user)
    return {
        "empty": "",
        "malformed": "not.a.token",
        "truncated": good[:-5],
        "nested": urlsafe_b64encode(b"[" * 3000).decode() + ".e30.AAAA",
        "huge": good + "x" * 5000,
        "unsigned": jwt.encode(claims, "", algorithm="HS256").rsplit(".", 1)[0] + ".",
        "other key": jwt.encode(claims, "another key", algorithm="HS256"),
        "other algorithm": jwt.encode(claims, key, algorithm="HS512"),
        "alg none": "eyJhbGciOiJub25lIn0." + good.split(".")[1] + ".",
        "expired": access_token(session, timedelta(seconds=-1)),
        "reset token": mailed,
        "reset token as an access token": jwt.encode(
            jwt.get_unverified_claims(mailed) | {"purpose": "access"}, key
        ),
        "no purpose": jwt.encode({"sub": claims["sub"]}, key),
        "no fingerprint": security.create_access_token(user.id, session=session.id, secret=""),
        "other session": security.create_access_token(
            user.id, session=session.id + 1, secret=session.secret
        ),
        "other user": security.create_access_token(
            user.id + 1, session=session.id, secret=session.secret
        ),
        "other audience": jwt.encode(claims | {"aud": "https://example.org"}, key),
        "refresh token": jwt.encode(claims | {"purpose": "refresh"}, key),
        "no subject": jwt.encode(claims | {"sub": ""}, key),
        "subject is not a number": jwt.encode(claims | {"sub": "admin"}, key),
        "subject is huge": jwt.encode(claims | {"sub": "9" * 30}, key),
        "subject is unknown": jwt.encode(claims | {"sub": "2147483647"}, key),
    }


@pytest.mark.parametrize(
    "kind",
    forged_tokens(
        User(id=1, email="a@example.com", hashed_password="hash"),
        UserSession(id=1, owner_id=1, secret="secret"),
    ),
)
def test_invalid_token_is_401(client: TestClient, db: Session, kind: str) -> None:
    user = create_random_user(db)
    token = forged_tokens(user, start_session(user))[kind]
    response = client.post(TEST_TOKEN, headers=bearer(token))
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == "Bearer"
    assert response.json() == {"detail": "Could not validate credentials", "code": "invalid_token"}


def test_token_of_deleted_user_is_401(client: TestClient, db: Session) -> None:
    user = create_random_user(db)
    headers = auth_headers(user)
    crud.user.remove(db, id=user.id)
    response = client.post(TEST_TOKEN, headers=headers)
    assert response.status_code == 401
    assert response.json() == {"detail": "Could not validate credentials", "code": "invalid_token"}


def test_password_change_revokes_tokens(client: TestClient, db: Session) -> None:
    user = create_random_user(db)
    headers = auth_headers(user)
    assert client.post(TEST_TOKEN, headers=headers).status_code == 200
    crud.user.update(db, db_obj=user, obj_in={"password": "new password"})
    assert client.post(TEST_TOKEN, headers=headers).status_code == 401


@pytest.mark.parametrize("path", ["/users/me", "/sample-notes/", "/users/"])
def test_inactive_user_is_403(client: TestClient, db: Session, path: str) -> None:
    """Inactive superusers are rejected, too."""
    user = create_random_user(db, is_superuser=True, is_active=False)
    response = client.get(settings.API_V1_STR + path, headers=auth_headers(user))
    assert response.status_code == 403
    assert response.json() == {"detail": "Inactive user", "code": "inactive_user"}


@pytest.mark.parametrize("purpose", ["reset-password", "new-account"])
def test_mailed_token_resets_password_once(
    client: TestClient, db: Session, purpose: security.Purpose
) -> None:
    user = create_random_user(db)
    body = {
        "token": generate_mailed_token(user, purpose),
        "new_password": "new password",
    }
    response = client.post(RESET, json=body)
    assert response.status_code == 200
    assert response.json() == {"msg": "Password updated successfully"}
    assert user_authentication_headers(client=client, email=user.email, password="new password")

    again = client.post(RESET, json=body)
    assert (again.status_code, again.json()["detail"]) == (400, "Invalid token")


def test_reset_password_rejects_invalid_tokens(client: TestClient, db: Session) -> None:
    user = create_random_user(db)
    expired = security.create_token(
        "reset-password", user.id, timedelta(seconds=-1), user.hashed_password, user.email
    )
    inactive = create_random_user(db, is_active=False)
    deleted = create_random_user(db)
    tokens = {
        "": "empty",
        "not.a.token": "malformed",
        access_token(start_session(user)): "access token",
        expired: "expired",
        generate_password_reset_token(inactive): "inactive user",
        generate_password_reset_token(deleted): "deleted user",
    }
    crud.user.remove(db, id=deleted.id)
    for token, kind in tokens.items():
        response = client.post(RESET, json={"token": token, "new_password": "new password"})
        assert (response.status_code, response.json()["detail"]) == (400, "Invalid token"), kind


@pytest.mark.parametrize("purpose", ["reset-password", "new-account"])
def test_email_change_revokes_mailed_links(
    client: TestClient, db: Session, purpose: security.Purpose
) -> None:
    """The owner of the old mailbox must not get the account."""
    user = create_random_user(db)
    old_email, before = user.email, user.hashed_password
    session = auth_headers(user)
    body = {
        "token": generate_mailed_token(user, purpose),
        "new_password": random_lower_string(),
    }
    crud.user.update(db, db_obj=user, obj_in={"email": random_email()})
    response = client.post(RESET, json=body)
    assert (response.status_code, response.json()) == (
        400,
        {"detail": "Invalid token", "code": "invalid_link"},
    )
    db.refresh(user)
    assert user.hashed_password == before
    # Access tokens stay valid.
    assert client.post(TEST_TOKEN, headers=session).status_code == 200
    # The link works again if the user restores the old email, in upper or lower case.
    crud.user.update(db, db_obj=user, obj_in={"email": old_email.upper()})
    assert client.post(RESET, json=body).status_code == 200


ODD_NUMBERS: list[object] = [
    None,
    "",
    "4102444800",
    "never",
    4102444800.5,
    1e400,
    float("nan"),
    10**30,
    2**63,
    2**31 - 1 + 10**12,
    -1,
    -(10**30),
    0,
    True,
    [],
    {},
    [4102444800],
]


@pytest.mark.parametrize("claim", ["exp", "iat"])
@pytest.mark.parametrize("value", ODD_NUMBERS, ids=repr)
def test_invalid_time_claims_are_401(
    client: TestClient, db: Session, claim: str, value: object
) -> None:
    assert_rejected_claims(client, db, {claim: value})


@pytest.mark.parametrize("claim", ["sub", "aud", "purpose", "fingerprint"])
@pytest.mark.parametrize(
    "value", [None, "", 1, 1.5, True, [], ["access"], {}, "\ud800", "a\udfff", "ä"], ids=ascii
)
def test_invalid_claims_are_401(client: TestClient, db: Session, claim: str, value: object) -> None:
    assert_rejected_claims(client, db, {claim: value})


@pytest.mark.parametrize("claim", ["nbf", "iss", "jti", "at_hash", "generation"])
@pytest.mark.parametrize("value", ["x", [], float("inf"), 10**30], ids=repr)
def test_unused_claims_cause_no_server_error(
    client: TestClient, db: Session, claim: str, value: object
) -> None:
    """Our tokens do not contain these claims, but other tokens may."""
    session = start_session(create_random_user(db))
    claims = jwt.get_unverified_claims(access_token(session)) | {claim: value}
    response = client.post(TEST_TOKEN, headers=bearer(sign(claims)))
    assert response.status_code in (200, 401)


@pytest.mark.parametrize("claim", ["exp", "iat", "sub", "aud", "purpose", "fingerprint"])
def test_missing_claims_are_401(client: TestClient, db: Session, claim: str) -> None:
    assert_rejected_claims(client, db, {claim: ...})


def sign(claims: object) -> str:
    """Return a signed token with any claims. python-jose would reject some of them."""
    parts = ({"alg": "HS256", "typ": "JWT"}, claims)
    signed = ".".join(
        urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts
    )
    signature = hmac.digest(settings.SECRET_KEY.encode(), signed.encode(), "sha256")
    return f"{signed}.{urlsafe_b64encode(signature).decode().rstrip('=')}"


def assert_rejected_claims(client: TestClient, db: Session, change: dict[str, object]) -> None:
    user = create_random_user(db)
    claims = jwt.get_unverified_claims(access_token(start_session(user)))
    assert client.post(TEST_TOKEN, headers=bearer(sign(claims))).status_code == 200
    changed = {key: value for key, value in (claims | change).items() if value is not ...}
    response = client.post(TEST_TOKEN, headers=bearer(sign(changed)))
    assert (response.status_code, response.json()["detail"]) == (
        401,
        "Could not validate credentials",
    )
    claims = jwt.get_unverified_claims(generate_password_reset_token(user))
    changed = {key: value for key, value in (claims | change).items() if value is not ...}
    body = {"token": sign(changed), "new_password": random_lower_string()}
    response = client.post(RESET, json=body)
    assert (response.status_code, response.json()["detail"]) == (400, "Invalid token")


def test_recovery_does_not_reveal_users(
    client: TestClient,
) -> None:
    responses = [
        client.post(f"{settings.API_V1_STR}/password-recovery/{email}")
        for email in (settings.FIRST_SUPERUSER, random_email(), "with%2Fslash@example.com")
    ]
    assert {response.status_code for response in responses} == {202}
    assert len({response.content for response in responses}) == 1


@pytest.mark.parametrize("email", ["no-email", "a%00b@example.com", "x" * 300 + "@example.com"])
def test_recovery_rejects_invalid_email(client: TestClient, email: str) -> None:
    response = client.post(f"{settings.API_V1_STR}/password-recovery/{email}")
    assert response.status_code == 422
