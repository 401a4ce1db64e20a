"""Sections of a note, by their headings."""

from codeassist.nlp.sections.sections import Sectionizer, find_sections

__all__ = ["Sectionizer", "find_sections"]
