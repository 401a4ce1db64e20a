"""Traces in OpenTelemetry's protocol: a span for each request and, below it, one for each stage of its note.

On where the setting ``otlp_endpoint`` names a collector, or OpenTelemetry's own ``OTEL_EXPORTER_OTLP_ENDPOINT`` or
``OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`` does; its other variables (sampling, headers, service name) hold as well. Names
and attributes follow the semantic conventions for HTTP servers, without those that hold a path, a query or an address.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from starlette.datastructures import Headers
from starlette.types import Scope

from codeassist.errors import InputError

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Span

ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
SERVICE = "codeassist"


class RequestSpan:
    """The span of one request."""

    def __init__(self, span: Span) -> None:
        self._span = span

    def answered(self, route: str, method: str, status: int) -> None:
        """Name the span by what is known only at the end."""
        from opentelemetry.trace import StatusCode

        self._span.update_name(f"{method} {route}")
        self._span.set_attributes(
            {"http.request.method": method, "http.route": route, "http.response.status_code": status}
        )
        if status >= 500:
            self._span.set_status(StatusCode.ERROR)


class Tracing:
    """Makes spans with ``provider``, which :meth:`close` empties and ends."""

    def __init__(self, provider: TracerProvider) -> None:
        self._provider = provider
        self._tracer = provider.get_tracer(SERVICE)

    @contextmanager
    def request(self, scope: Scope) -> Iterator[RequestSpan]:
        """The span of a request; it goes on the caller's trace, where the header ``traceparent`` names one."""
        from opentelemetry.trace import SpanKind
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        headers = Headers(scope=scope)
        carrier = {"traceparent": headers["traceparent"]} if "traceparent" in headers else {}
        context = TraceContextTextMapPropagator().extract(carrier)
        # the exception's message could quote a note: the middleware tells the status instead
        with self._tracer.start_as_current_span(
            "request", context, SpanKind.SERVER, record_exception=False, set_status_on_exception=False
        ) as span:
            yield RequestSpan(span)

    def stage(self, stage: str, begin: float, end: float) -> None:
        """A span below that of the request, from times of ``time.perf_counter``."""
        ago = time.time_ns() - time.perf_counter_ns()
        span = self._tracer.start_span(stage, start_time=ago + int(begin * 1e9))
        span.end(ago + int(end * 1e9))

    def close(self) -> None:
        """Send what is left."""
        self._provider.shutdown()


def tracing_of(endpoint: str) -> Tracing | None:
    """Tracing to the collector at ``endpoint``, or to the one that OpenTelemetry's variables name; ``None`` without.

    Raises :class:`~codeassist.errors.InputError` where the extra ``tracing`` is not installed.
    """
    if not endpoint and not any(os.environ.get(name) for name in ENDPOINTS):
        return None
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        raise InputError("traces need their extra: pip install 'codeassist[tracing]'") from None
    own = {} if os.environ.get("OTEL_SERVICE_NAME") else {"service.name": SERVICE}
    provider = TracerProvider(resource=Resource.create(own), shutdown_on_exit=False)
    exporter = OTLPSpanExporter(endpoint.rstrip("/") + "/v1/traces") if endpoint else OTLPSpanExporter()
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return Tracing(provider)
