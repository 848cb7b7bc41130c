"""What the data layer can refuse, named by situation; app.api.errors turns it into HTTP."""


class CRUDError(Exception):
    """The parent of every refusal."""


class EmailTaken(CRUDError):
    """Another user has this e-mail."""


class LastSuperuser(CRUDError):
    """Without this user nobody could administrate the system."""


class OwnerGone(CRUDError):
    """The user who owns the new row was deleted meanwhile."""
