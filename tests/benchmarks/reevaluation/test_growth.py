"""Time and memory for 12, 48 and 192 targets on one model, by hand and with the engine. Prints, asserts no time."""

from pathlib import Path

import numpy as np
import pytest
from rich.console import Console
from rich.table import Table

from .flops import Heads, bound
from .processes import running, told

CONFIG = {"layers": 12, "heads": 16, "width": 128, "vocabulary": 1024, "tokens": 64, "weights": None, "batch": 8}
TARGETS = (12, 48, 192)
MIB = 1 << 20


def spread(targets: int) -> list[Heads]:
    """So many heads, as many of every layer."""
    each = targets // CONFIG["layers"]
    return [((layer, head),) for layer in range(CONFIG["layers"]) for head in range(each)]


@pytest.mark.benchmark
def test_growth(tmp_path: Path) -> None:
    config = {**CONFIG, "examples": CONFIG["batch"]}
    table = Table("targets", "by hand: CPU s", "MiB", "ours: CPU s", "MiB", "held to be replayed", "speed-up", "bound")
    with running("by_hand", config, tmp_path) as by_hand, running("ours", config, tmp_path) as ours:
        for one in (by_hand, ours):
            one.ask(spread(12)[:2])
        for targets in TARGETS:  # memory is the most that a process ever held: fewer targets first
            sets = spread(targets)
            loop, found = by_hand.ask(sets), ours.ask(sets)
            told(found.remarks)
            assert np.array_equal(found.losses, loop.losses)
            table.add_row(
                f"{targets}",
                f"{loop.seconds:.2f}",
                f"{loop.peak / MIB:.0f}",
                f"{found.seconds:.2f}",
                f"{found.peak / MIB:.0f}",
                f"{found.held / MIB:.1f} MiB",
                f"{loop.seconds / found.seconds:.2f}×",
                f"{bound(CONFIG, sets):.2f}×",
            )
    print()
    Console(width=120).print(table)
