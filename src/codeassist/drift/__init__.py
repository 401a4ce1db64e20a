"""Drift: whether notes, suggestions and acceptance are still like the training data."""

from codeassist.drift.observing import Observed, observe
from codeassist.drift.profile import Profile, profile_of
from codeassist.drift.weeks import Drift, Limits, drift_by_week

__all__ = ["Drift", "Limits", "Observed", "Profile", "drift_by_week", "observe", "profile_of"]
