"""Audited notes in the layouts that others publish or keep: Parquet, CodiEsp, MDACE."""
