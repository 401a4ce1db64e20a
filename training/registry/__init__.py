"""The registry of model releases: kept, compared, promoted through gates, rolled back, signed and verified."""
