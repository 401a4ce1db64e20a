"""The spaCy pipeline: sentences, sections, mentions, assertion and attributes of a clinical note.

Each component is a spaCy factory, usable from ``spacy.blank("en")`` alone:

>>> import spacy, codeassist.nlp
>>> nlp = spacy.blank("en")
>>> for name in ("codeassist_sentences", "codeassist_sections", "codeassist_assertion"):
...     _ = nlp.add_pipe(name)
>>> doc = nlp("Denies fever. Has cough.")
>>> [s.text for s in doc.sents]
['Denies fever.', 'Has cough.']
"""

from codeassist.nlp.annotations import Annotations, MentionArrays, Section, annotations_of
from codeassist.nlp.pipeline import make_pipeline

__all__ = ["Annotations", "MentionArrays", "Section", "annotations_of", "make_pipeline"]
