"""The service: the HTTP interface of codeassist and the coder's page."""
