"""Audited notes without what names a person: dates shifted, names, numbers and addresses replaced. See
``docs/deidentification.md`` for what it finds, and what it does not."""
