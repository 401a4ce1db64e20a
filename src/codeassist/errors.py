"""The one family of exceptions that codeassist raises for what a caller can mend."""


class CodeassistError(Exception):
    """Base of all errors raised on purpose.

    ``code`` is a short stable string that a program can test; the message says
    what was wrong, with which value, and what to do. Neither quotes a note.
    """

    code = "error"


class InputError(CodeassistError):
    """The caller's input can't be used: a note, an option, a file."""

    code = "invalid-input"


class NoteTooLarge(InputError):
    """The note is longer than the limit that the settings give."""

    code = "note-too-large"


class UnknownCode(InputError):
    """The code is not in any release of its system."""

    code = "unknown-code"


class ModelError(CodeassistError):
    """The model release is missing, damaged or of an unknown format."""

    code = "model-unusable"


class TerminologyError(CodeassistError):
    """The terminology index, or a file to import into it, can't be used."""

    code = "terminology-unusable"


class ClusterError(CodeassistError):
    """The cluster can't be reached, or a worker of it can't do what the run needs."""

    code = "cluster-unusable"
