"""What the notebooks of the churn story share. Imported from beside them, by hand and as a job."""

import json
from pathlib import Path

import pandas as pd

NUMBERS = ["tenure", "monthly_charges", "total_charges", "services", "charge_per_month"]
CATEGORIES = ["contract", "internet_service", "payment_method", "tenure_band"]
FLAGS = ["female", "senior_citizen", "partner", "dependents", "paperless_billing"]


def write_part(frame: pd.DataFrame, out: str, source: str) -> Path:
    """Write rows as one Parquet file below `out`, named for what they were made of."""
    path = Path(out) / f"{Path(source).stem}.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    frame.to_parquet(path, index=False)
    return path


def tells_enough(output: Path) -> None:
    """Refuse a model that is little better than guessing; `output` is the folder of the job's."""
    auc = json.loads((output / "metrics.json").read_text())["auc"]
    assert auc > 0.8, f"the model's AUC is {auc}; 0.8 is asked for"
