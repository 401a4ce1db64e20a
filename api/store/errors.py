"""What can be wrong with the database, as errors that a site can mend."""

from __future__ import annotations

from codeassist.errors import CodeassistError


class DatabaseError(CodeassistError):
    """The database can't be reached, opened or brought up to date."""

    code = "database-unusable"
