"""Limits how often a client can try passwords and cause mails."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Annotated

from fastapi import Depends, Request

from app.api.deps import client_address
from app.api.exceptions import IncorrectCredentials, IncorrectPassword
from app.api.routing import raises
from app.core.throttling import (
    TooManyAttempts,
    failed_passwords,
    failed_passwords_of_network,
    mails,
    mails_of_network,
    network,
)
from app.crud.crud_user import normalise_email


class Attempts:
    """The limits for the client of a request."""

    def __init__(self, request: Request) -> None:
        self._network = network(client_address(request))

    @contextmanager
    def password(self, email: str) -> Iterator[None]:
        """Count the attempt if the body raises IncorrectCredentials or IncorrectPassword.

        Raises TooManyAttempts before the body runs, the same for known and unknown emails.
        """
        email = normalise_email(email)  # Otherwise, each spelling would have its own limit.
        failed_passwords.check(email, self._network)
        failed_passwords_of_network.check(self._network)
        try:
            yield
        except (IncorrectCredentials, IncorrectPassword):
            with suppress(TooManyAttempts):  # Another request has reached the limit meanwhile.
                failed_passwords.count(email, self._network)
                failed_passwords_of_network.count(self._network)
            raise
        failed_passwords.forget(email, self._network)

    def count_mail(self, kind: str, email: str) -> None:
        """Count a mail to this email, whether or not it will be sent. Raises TooManyAttempts.

        Each kind has its own limit: requests that send no mail to this email, such as a repeated
        confirmation, must not use up the mails that would help its owner.
        """
        mails_of_network.count(self._network)
        mails.count(kind, email)


@raises(TooManyAttempts)
async def get_attempts(request: Request) -> Attempts:
    return Attempts(request)


AttemptsDep = Annotated[Attempts, Depends(get_attempts)]
