"""codeassist: a clinical note in, ranked ICD-10-CM, ICD-10-PCS, CPT and HCPCS codes out, with their evidence."""

from codeassist.assistant import CodeAssistant, load
from codeassist.errors import CodeassistError, InputError, ModelError, TerminologyError
from codeassist.note import Document, Note, Patient
from codeassist.result import CodingResult, Suggestion

__version__ = "0.1.0"
__all__ = [
    "CodeAssistant",
    "CodeassistError",
    "CodingResult",
    "Document",
    "InputError",
    "ModelError",
    "Note",
    "Patient",
    "Suggestion",
    "TerminologyError",
    "load",
]
