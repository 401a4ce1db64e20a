"""Learning from use: which notes would teach most, and drift of audited notes."""
