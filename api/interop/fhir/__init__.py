"""FHIR R4: suggested codes for documents, the code systems, and final codes."""
