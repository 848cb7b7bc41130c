"""Sends or enqueues mails to a user: python mails.py loop|enqueue USER_ID NUMBER."""

import sys
import time

from app import crud, utils, worker
from app.db.session import SessionLocal


def main(how: str, user_id: int, number: int) -> None:
    with SessionLocal.begin() as db:
        user = crud.user.get(db, user_id)
        assert user is not None
        if how == "enqueue":
            for _ in range(number):
                worker.send_new_account_email.enqueue(db, None, user.id)
            return
    utils.send_new_account_email("warm-up", user)
    start = time.perf_counter()
    for count in range(number):
        utils.send_new_account_email(f"loop-{count}", user)
    print(number / (time.perf_counter() - start))


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
