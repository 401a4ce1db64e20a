"""The level of a visit by its medical decision making, from a read note."""

from codeassist.visits.level import assess_visit
from codeassist.visits.visit import Element, Level, Neighbour, Passage, Visit

__all__ = ["Element", "Level", "Neighbour", "Passage", "Visit", "assess_visit"]
