"""All heads, and pairs of heads, of a 6-layer 8-head model of GPT-2's shape: by hand, with the peers, with this engine.

Everybody does the same removals on the same examples, in CPU seconds of one thread, model loaded and warm. The values are
asserted to agree: the engine's bit for bit with the hand-written loop's. The times are printed.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console
from rich.table import Table

from .flops import Heads, bound
from .processes import Contender, Measured, best, running, told

CONFIG = {"layers": 6, "heads": 8, "width": 256, "vocabulary": 8192, "tokens": 64, "weights": None}
SINGLES_AND_SAMPLE = {**CONFIG, "batch": 4, "examples": 12}
ALL_PAIRS = {**CONFIG, "batch": 8, "examples": 8}
HAND, OURS, CAPTUM = "by_hand", "ours", "with_captum"
PEERS = ("with_nnsight", CAPTUM, "with_transformer_lens")
HEADS = [(layer, head) for layer in range(CONFIG["layers"]) for head in range(CONFIG["heads"])]
SAMPLED = 12
WARM_UP: list[Heads] = [((0, 0),), ((5, 7),)]
CLOSE = 1e-4


@pytest.fixture(scope="module")
def contenders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Contender]]:
    """All of them, loaded."""
    with ExitStack() as stack:
        folder = tmp_path_factory.mktemp("contenders")
        names = (HAND, OURS, *PEERS)
        yield {name: stack.enter_context(running(name, SINGLES_AND_SAMPLE, folder)) for name in names}


def in_turn(contenders: Sequence[Contender], sets: Sequence[Heads], rounds: int) -> dict[str, Measured]:
    """The best of some rounds of each; in every round each has its turn."""
    for one in contenders:
        one.ask(WARM_UP)
    found = [[one.ask(sets) for one in contenders] for _ in range(rounds)]
    return {one.name: best(measured) for one, measured in zip(contenders, zip(*found, strict=True), strict=True)}


def show(what: str, measured: dict[str, Measured], limit: float) -> None:
    """The table, and the agreement that is asserted."""
    by_hand = measured[HAND]
    table = Table(title=f"{what}; the most that a cache could save: {limit:.2f}×", title_justify="left")
    for column in ("", "CPU seconds", "speed-up over the loop", "largest difference"):
        table.add_column(column)
    for name, one in measured.items():
        difference = float(np.abs(one.losses - by_hand.losses).max())
        differs = "none, bit for bit" if np.array_equal(one.losses, by_hand.losses) else f"{difference:.1e}"
        ratio = f"{by_hand.seconds / one.seconds:.2f}×"
        table.add_row(name.replace("_", " "), f"{one.seconds:.2f}", ratio, differs if name != HAND else "")
        assert difference <= CLOSE
    Console(width=120).print(table)
    told(measured[OURS].remarks)
    assert np.array_equal(measured[OURS].losses, by_hand.losses)


@pytest.mark.benchmark
def test_leave_one_out(contenders: dict[str, Contender]) -> None:
    print()
    sets: list[Heads] = [(head,) for head in HEADS]
    measured = in_turn(list(contenders.values()), sets, rounds=2)
    show(f"each of {len(sets)} heads alone", measured, bound(CONFIG, sets))


@pytest.mark.benchmark
def test_a_sample_of_pairs(contenders: dict[str, Contender]) -> None:
    print()
    chosen = np.random.default_rng(0).choice(len(HEADS), SAMPLED, replace=False)
    sets: list[Heads] = list(combinations([HEADS[index] for index in sorted(chosen.tolist())], 2))
    able = [one for name, one in contenders.items() if name != CAPTUM]  # it has no removal in two layers at once
    show(
        f"all {len(sets)} pairs of {SAMPLED} heads, drawn at random", in_turn(able, sets, rounds=1), bound(CONFIG, sets)
    )


@pytest.mark.benchmark
def test_all_pairs(tmp_path: Path) -> None:
    print()
    sets: list[Heads] = list(combinations(HEADS, 2))
    with running(HAND, ALL_PAIRS, tmp_path) as by_hand, running(OURS, ALL_PAIRS, tmp_path) as ours:
        measured = in_turn([by_hand, ours], sets, rounds=1)
    show(f"all {len(sets)} pairs of heads", measured, bound(CONFIG, sets))
