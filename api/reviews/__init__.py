"""The review of suggestions by coders: functions over a transaction of the store."""
