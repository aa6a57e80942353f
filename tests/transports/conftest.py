"""The root of the checkout is on the import path, so that guests find `tests.transports.company` by name."""

import sys
from pathlib import Path

ROOT = str(Path(__file__).resolve().parent.parent.parent)

if ROOT not in sys.path:
    sys.path.append(ROOT)
