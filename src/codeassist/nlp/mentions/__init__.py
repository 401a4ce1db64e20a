"""Mentions of conditions and procedures: phrases of the terminology found in a note."""

from codeassist.nlp.mentions.mentions import MentionFinder, window_keys

__all__ = ["MentionFinder", "window_keys"]
