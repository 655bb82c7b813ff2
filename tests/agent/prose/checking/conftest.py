"""The simulated studies of the report's tests, and the sentences written about them."""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "report")]
