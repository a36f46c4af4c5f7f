"""Bytes under a name: the object store and its implementations. Knows nothing of commits."""
