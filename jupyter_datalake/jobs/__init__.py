"""Running datums: code, environments, workers, and the notebook engine."""
