"""Messages to others: webhooks and charges, delivered from an outbox until they arrive."""
