"""The schema's history, run by :meth:`api.store.database.Database.upgrade`."""
