"""A client of the codeassist API. Needs httpx, and nothing of the service.

>>> from codeassist_client import Client
>>> client = Client("http://127.0.0.1:8000")
"""

from codeassist_client.client import Client
from codeassist_client.errors import (
    ApiError,
    BadRequest,
    Conflict,
    Forbidden,
    NotFound,
    NotReachable,
    ServerFault,
    TooManyRequests,
    Unauthenticated,
    Unavailable,
)
from codeassist_client.values import (
    Code,
    Edits,
    Evidence,
    Finding,
    LineError,
    Query,
    Result,
    Review,
    Suggestion,
    Summary,
)

__all__ = [
    "ApiError",
    "BadRequest",
    "Client",
    "Code",
    "Conflict",
    "Edits",
    "Evidence",
    "Finding",
    "Forbidden",
    "LineError",
    "NotFound",
    "NotReachable",
    "Query",
    "Result",
    "Review",
    "ServerFault",
    "Suggestion",
    "Summary",
    "TooManyRequests",
    "Unauthenticated",
    "Unavailable",
]
