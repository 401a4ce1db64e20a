"""Why a change to a review is refused. Each ``code`` is a row of ``problems.toml``."""

from __future__ import annotations

from codeassist.errors import CodeassistError


class ReviewError(CodeassistError):
    """Base of what can be wrong with a request about a review."""

    code = "decision-impossible"


class ReviewUnknown(ReviewError):
    """No review has this number."""

    code = "review-unknown"


class NothingWaiting(ReviewError):
    """No review that the filters let through waits for a coder."""

    code = "nothing-waiting"


class AssigneeUnknown(ReviewError):
    """Nobody of this name may review notes."""

    code = "assignee-unknown"


class ReviewLocked(ReviewError):
    """Somebody else has the note open."""

    code = "review-locked"


class ReviewForeign(ReviewError):
    """The note is not opened by the user who would change it."""

    code = "review-foreign"


class ReviewSubmitted(ReviewError):
    """The note is submitted, and its codes are final."""

    code = "review-submitted"


class ReviewClosed(ReviewError):
    """The note is closed without codes: its document was replaced or cancelled."""

    code = "review-closed"


class VersionStale(ReviewError):
    """The review was changed since the version that the request names."""

    code = "version-stale"


class DecisionImpossible(ReviewError):
    """The decision does not fit what the review holds."""

    code = "decision-impossible"


class NotInRelease(ReviewError):
    """No edition in the index has the code."""

    code = "code-not-in-release"


class NothingToUndo(ReviewError):
    """No decision is left to take back."""

    code = "nothing-to-undo"


class NothingToRedo(ReviewError):
    """No decision was taken back since the last one."""

    code = "nothing-to-redo"


class FindingsStand(ReviewError):
    """Findings of level error are neither mended nor overridden."""

    code = "findings-stand"


class OverrideRefused(ReviewError):
    """No such error stands, or its rule allows no override."""

    code = "override-refused"


class NotSubmitted(ReviewError):
    """The codes are not final yet."""

    code = "not-submitted"


class AuditUnknown(ReviewError):
    """No second look that the user may see has this number."""

    code = "audit-unknown"


class AuditOwn(ReviewError):
    """Nobody audits their own coding."""

    code = "audit-own"


class AuditExists(ReviewError):
    """The review has a second look already."""

    code = "audit-exists"


class AuditForeign(ReviewError):
    """The second look is another auditor's, or another coder's to answer."""

    code = "audit-foreign"


class AuditImpossible(ReviewError):
    """What is asked does not fit the state of the second look."""

    code = "audit-state"


class AuditBlind(ReviewError):
    """The codes are hidden from the auditor who recodes blind."""

    code = "audit-blind"


class NothingToAudit(ReviewError):
    """No submitted review that the filters let through is left to be drawn."""

    code = "nothing-to-audit"
