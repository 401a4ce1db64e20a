"""What qualifies a mention: side, acuity, severity, stage, encounter, trimester."""

from codeassist.nlp.attributes.attributes import Attribute, AttributeFinder, find_attributes

__all__ = ["Attribute", "AttributeFinder", "find_attributes"]
