"""What an operator may see of the running service: metrics for Prometheus and traces for OpenTelemetry. Neither ever
holds text of a note, an identifier, a path or a query: only names that stand in this code."""
