"""Make the pictures of ``docs/images`` small: 256 colours are enough for screens.

Run by ``make tour``. A picture that has a palette already is left as it is, and so is the time at
which it was made: nothing changes when nothing was drawn.
"""

from __future__ import annotations

import sys
from pathlib import Path

from PIL import Image

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "images"
BUDGET_BYTES = 2_000_000
"""Of all pictures together: they are cloned by everybody, in each version they ever had."""


def shrink(path: Path) -> None:
    """Give a picture a palette."""
    with Image.open(path) as picture:
        if picture.mode == "P":
            return
        small = picture.convert("RGB").quantize(256, dither=Image.Dither.NONE)
    small.save(path, optimize=True)


def main() -> int:
    """Shrink all pictures, print their sizes, and fail when they are over the budget."""
    total = 0
    for path in sorted(FOLDER.glob("*.png")):
        shrink(path)
        size = path.stat().st_size
        total += size
        print(f"{size:9,}  {path.name}")
    print(f"{total:9,}  of {BUDGET_BYTES:,} bytes")
    return int(total > BUDGET_BYTES)


if __name__ == "__main__":
    sys.exit(main())
