"""The rule families: what each catches stands in ``data/<family>.tsv``, how it is found in the module of its name."""
