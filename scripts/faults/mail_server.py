"""The mail server of the tests. It can reject mails, or keep the worker waiting for a response."""

import asyncio
from collections import defaultdict
from email.message import EmailMessage
from typing import Any, Literal

from app.tests.utils.mailbox import Mailbox


class MailServer(Mailbox):
    def __init__(self) -> None:
        super().__init__()
        # The response to each mail, instead of 250.
        self.rejection = ""
        # The addresses of mails that were rejected with a permanent error.
        self.rejected_for_good: list[str] = []
        # Wait before the 250, or after it: the worker then waits for the response to QUIT.
        self.hold: Literal["", "before", "after"] = ""
        self.held = 0

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        if self.hold == "before":
            # If the worker dies meanwhile, the server cancels this call, and the mail is not stored.
            await self._wait()
        if self.rejection:
            if self.rejection.startswith("5"):
                self.rejected_for_good += envelope.rcpt_tos
            return self.rejection
        return await super().handle_DATA(server, session, envelope)

    async def handle_QUIT(self, *_: Any) -> str:  # noqa: N802
        if self.hold == "after":
            await self._wait()
        return "221 Bye"

    async def _wait(self) -> None:
        self.held += 1
        while self.hold:
            await asyncio.sleep(0.02)

    def reset(self) -> None:
        self.mails.clear()
        self.rejected_for_good.clear()
        self.rejection, self.hold, self.held = "", "", 0

    def by_address(self) -> dict[str, list[EmailMessage]]:
        found = defaultdict(list)
        for mail in list(self.mails):
            found[str(mail["To"])].append(mail)
        return found
