"""What can be wrong with users and keys, as errors that the caller can mend."""

from __future__ import annotations

from codeassist.errors import InputError


class AccountError(InputError):
    """A name, password, role or scope that can't be taken."""

    code = "account-refused"


class UnknownAccount(InputError):
    """No user or key has this name."""

    code = "account-unknown"


class AccountExists(InputError):
    """The name is taken; names are not given twice, because they stand in the audit trail."""

    code = "account-exists"


class LastAdministrator(InputError):
    """Nobody would be left who can administer the service."""

    code = "last-administrator"


class ProviderError(Exception):
    """The provider can't be used, or what it said does not hold. The message is for the log, and quotes no token."""
