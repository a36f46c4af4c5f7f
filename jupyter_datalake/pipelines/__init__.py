"""Pipelines: publication, planning, and the controller that turns commits into jobs."""
