"""Passwords and tokens."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from hmac import compare_digest
from typing import Any, Literal, TypeVar

from jose import JWTError, jwt
from passlib.context import CryptContext

from app.core.config import settings
from app.core.passwords import normalise

ALGORITHM = "HS256"

Result = TypeVar("Result")
Purpose = Literal[
    "access", "refresh", "reset-password", "new-account", "verify-email", "change-email"
]

# Argon2id with OWASP's parameters (Password Storage Cheat Sheet: m=19 MiB, t=2, p=1).
# Older hashes use bcrypt. They are replaced at login.
password_context = CryptContext(
    schemes=["argon2", "bcrypt"],
    deprecated=["bcrypt"],
    argon2__type="ID",
    argon2__memory_cost=19456,
    argon2__time_cost=2,
    argon2__parallelism=1,
)
# Hash one password at a time, because a hash takes all of a core. The 19 MiB stay with the thread
# that hashed, so always use the same one.
hashing_thread = ThreadPoolExecutor(1)


class InvalidToken(Exception):
    """The token is malformed, forged, expired, revoked, or made for another purpose."""


def create_token(
    purpose: Purpose, subject: str | int, lifetime: timedelta, *secrets: str, **claims: int | str
) -> str:
    """Return a signed token. It expires, and is revoked when one of the secrets changes."""
    now = datetime.now(UTC)
    all_claims = {
        "sub": str(subject),
        "iat": now,
        "exp": now + lifetime,
        # Another installation rejects the token, even if it has the same SECRET_KEY.
        "aud": settings.SERVER_HOST,
        "purpose": purpose,
        "fingerprint": fingerprint(*secrets),
        **claims,
    }
    return jwt.encode(all_claims, settings.SECRET_KEY, algorithm=ALGORITHM)


def create_access_token(
    subject: str | int,
    expires_delta: timedelta | None = None,
    *,
    session: int,
    secret: str,
) -> str:
    """Return an access token for a user's id, valid while the session with this id is."""
    lifetime = expires_delta or timedelta(minutes=settings.ACCESS_TOKEN_EXPIRE_MINUTES)
    return create_token("access", subject, lifetime, secret, session=session)


def decode_token(token: str, *purposes: Purpose) -> dict[str, Any]:
    """Return the claims of a token made for one of the purposes, or raise InvalidToken."""
    try:
        claims = jwt.decode(
            token,
            [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS],
            algorithms=[ALGORITHM],
            audience=settings.SERVER_HOST,
        )
    # For malformed claims, such as a time of the wrong type, python-jose raises other errors.
    except (JWTError, ValueError, TypeError, OverflowError, RecursionError) as error:
        raise InvalidToken from error
    if claims.get("purpose") not in purposes:
        raise InvalidToken
    return claims


def fingerprint(*secrets: str) -> str:
    """Return a hash that changes when any of the secrets changes, and reveals none of them."""
    return sha256("\0".join(secrets).encode()).hexdigest()[:32]


def fingerprint_matches(given: str, *secrets: str) -> bool:
    # compare_digest raises TypeError for text that is not ASCII.
    return given.isascii() and compare_digest(given, fingerprint(*secrets))


def get_password_hash(password: str) -> str:
    return _hash(password_context.hash, normalise(password))


def verify_password(plain_password: str, hashed_password: str) -> bool:
    """Return whether the password matches. A malformed hash never matches."""
    return verify_and_update(plain_password, hashed_password)[0]


def verify_and_update(password: str, hashed_password: str) -> tuple[bool, str | None]:
    """Return whether the password matches, and a new hash if the stored one is outdated.

    A hash is outdated if a new one would use another algorithm, cost or Unicode form of the
    password. Older versions and imported projects hashed the password as it was typed.
    """
    for form in _unicode_forms(password):
        matches, new_hash = _verify_and_update(form, hashed_password)
        if matches:
            if new_hash is not None or form != normalise(password):
                # passlib may have hashed a truncated password, or another Unicode form of it.
                new_hash = get_password_hash(password)
            return True, new_hash
    return False, None


def dummy_verify(password: str) -> None:
    """Take as long as verify_password, so that the time does not reveal whether the email exists.

    Users with a bcrypt hash are an exception: verifying a bcrypt hash takes longer.
    """
    for _ in _unicode_forms(password):
        _hash(password_context.dummy_verify)


def _unicode_forms(password: str) -> list[str]:
    """Return the forms in which a password is verified: normalised, then as typed."""
    return list(dict.fromkeys([normalise(password), password]))


def _verify_and_update(password: str, hashed_password: str) -> tuple[bool, str | None]:
    secret: str | bytes = password
    if hashed_password.startswith("$2"):
        # bcrypt uses only the first 72 bytes. The current bcrypt library rejects longer passwords.
        secret = password.encode(errors="replace")[:72]
    try:
        return _hash(password_context.verify_and_update, secret, hashed_password)
    # Raised for a malformed hash, and for a password that is too long or can't be encoded.
    except ValueError:
        _hash(password_context.dummy_verify)
        return False, None


def _hash(function: Callable[..., Result], *arguments: str | bytes) -> Result:
    return hashing_thread.submit(function, *arguments).result()
