"""Presidio's pattern recognisers over a blank English pipeline: no model is loaded, and nothing is fetched."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

from codeassist.errors import InputError
from codeassist.nlp.tokenizer import blank_english
from training.deidentify.kinds import Identifier, Kind

if TYPE_CHECKING:
    from presidio_analyzer import AnalyzerEngine

_KINDS: dict[str, Kind] = {
    "EMAIL_ADDRESS": "email",
    "URL": "url",
    "IP_ADDRESS": "ip",
    "PHONE_NUMBER": "phone",
    "US_SSN": "ssn",
    "CREDIT_CARD": "number",
    "US_MBI": "number",
    "MEDICAL_LICENSE": "number",
}
_LEAST_SCORE = 0.4
"""Presidio's score from which a finding is taken: a pattern with context, or one that needs none."""


def find_patterns(text: str) -> list[Identifier]:
    """E-mail, web and network addresses, telephone, social security, card, Medicare and DEA numbers."""
    found = _analyzer().analyze(text, "en", entities=list(_KINDS), score_threshold=_LEAST_SCORE)
    return [
        Identifier(r.start, r.end, _KINDS[r.entity_type], 2)
        for r in found
        if _KINDS[r.entity_type] != "url" or text[r.start : r.end].lower().startswith(("http", "www."))
    ]


@cache
def _analyzer() -> AnalyzerEngine:
    try:
        from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
        from presidio_analyzer import predefined_recognizers as ready
        from presidio_analyzer.nlp_engine import NlpArtifacts, NlpEngine
    except ImportError:
        raise InputError("this needs presidio: install codeassist with its extra 'deidentify'") from None

    class Email(ready.EmailRecognizer):
        """Without the check of the domain, for which a list of domains would be fetched."""

        def validate_result(self, pattern_text: str) -> bool | None:
            return None

    class BlankEngine(NlpEngine):
        """Tokens of spaCy's blank English: what presidio needs to see the words around a number."""

        def __init__(self) -> None:
            self._nlp = blank_english()

        def load(self) -> None: ...

        def is_loaded(self) -> bool:
            return True

        def process_text(self, text: str, language: str) -> NlpArtifacts:
            doc = self._nlp.make_doc(text)
            words = [t.lower_ for t in doc]
            return NlpArtifacts([], doc, [t.idx for t in doc], words, self, language)

        def process_batch(
            self, texts: Iterable[str], language: str, batch_size: int = 1, n_process: int = 1, **kwargs: Any
        ) -> Iterator[tuple[str, NlpArtifacts]]:
            return ((text, self.process_text(text, language)) for text in texts)

        def is_stopword(self, word: str, language: str) -> bool:
            return bool(self._nlp.vocab[word].is_stop)

        def is_punct(self, word: str, language: str) -> bool:
            return bool(self._nlp.vocab[word].is_punct)

        def get_supported_entities(self) -> list[str]:
            return []

        def get_supported_languages(self) -> list[str]:
            return ["en"]

    kinds = ("UrlRecognizer", "IpRecognizer", "UsSsnRecognizer", "CreditCardRecognizer", "UsMbiRecognizer")
    recognizers = [Email(), ready.PhoneRecognizer(supported_regions=["US"])]
    recognizers += [getattr(ready, name)() for name in (*kinds, "MedicalLicenseRecognizer") if hasattr(ready, name)]
    return AnalyzerEngine(RecognizerRegistry(recognizers=recognizers), BlankEngine())
