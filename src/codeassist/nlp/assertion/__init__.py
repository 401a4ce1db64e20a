"""What a note says of a mention: present, negated, possible, hypothetical, historical or family, with the cue."""

from codeassist.nlp.assertion.assertion import AssertionMarker

__all__ = ["AssertionMarker"]
