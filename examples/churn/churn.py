"""What the notebooks of the churn story share. Imported from beside them, by hand and as a job."""

from pathlib import Path

import pandas as pd

NUMBERS = ["tenure", "monthly_charges", "total_charges", "services", "charge_per_month"]
CATEGORIES = ["contract", "internet_service", "payment_method", "tenure_band"]
FLAGS = ["female", "senior_citizen", "partner", "dependents", "paperless_billing"]


def read_parts(folder: str) -> pd.DataFrame:
    """Return the rows of every Parquet file below a folder, in the order of their names."""
    files = sorted(Path(folder).rglob("*.parquet"))
    if not files:
        raise FileNotFoundError(f"no Parquet files below {folder}")
    return pd.concat([pd.read_parquet(file) for file in files], ignore_index=True)


def write_part(frame: pd.DataFrame, out: str, name: str) -> Path:
    """Write rows as one Parquet file below `out`."""
    path = Path(out) / f"{name}.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    frame.to_parquet(path, index=False)
    return path
