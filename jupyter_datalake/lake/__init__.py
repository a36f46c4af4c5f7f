"""The verbs: one file per noun, and `Lake`, which holds them together."""
