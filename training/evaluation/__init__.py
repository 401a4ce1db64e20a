"""A model release measured on audited notes it has not seen: figures with intervals, parts, calibration, report."""
