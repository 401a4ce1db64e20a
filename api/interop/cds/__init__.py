"""CDS Hooks 2.0: cards with suggested codes in the EHR."""
