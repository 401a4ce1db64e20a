"""The edits that keep a claim clean: one family a file, registered by name, data apart from logic."""
