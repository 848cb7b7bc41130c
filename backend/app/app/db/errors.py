"""Removes the values of rows from database errors, before the errors are logged or reported."""

from sqlalchemy import event
from sqlalchemy.engine import Engine, ExceptionContext


@event.listens_for(Engine, "handle_error")
def hide_values(context: ExceptionContext) -> None:
    """Keep only the primary message of a PostgreSQL error.

    The other parts repeat the row ("Failing row contains ...") or a line of the statement. The
    primary message quotes a value only if the value has the wrong type ("invalid input syntax").
    """
    original = context.original_exception
    message = getattr(getattr(original, "diag", None), "message_primary", None)
    if message is None:
        return
    wrapped = context.sqlalchemy_exception
    if wrapped is not None and wrapped.args:
        text = str(wrapped.args[0]).replace(str(original), message)
        wrapped.args = (text, *wrapped.args[1:])
    original.args = (message,)
