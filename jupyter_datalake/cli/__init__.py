"""The command line: one file per noun, one command per verb, no logic."""
