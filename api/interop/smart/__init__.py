"""SMART: tokens for backend services, and the launch of the review page from an EHR."""
