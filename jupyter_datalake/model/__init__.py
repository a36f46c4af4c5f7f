"""Values and pure algorithms: what the bytes and rows mean. No I/O, no clock, no randomness."""
