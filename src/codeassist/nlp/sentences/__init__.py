"""Sentences of clinical text: lists, numbered plans, abbreviations, decimal numbers, wrapped lines."""

from codeassist.nlp.sentences.sentences import SentenceSplitter, sentence_starts

__all__ = ["SentenceSplitter", "sentence_starts"]
