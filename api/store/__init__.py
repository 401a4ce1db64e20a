"""What the service keeps: notes, suggestions as made, reviews, decisions, and the audit trail."""
