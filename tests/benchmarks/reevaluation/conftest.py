"""A small model that was really trained, and what the loss of each example is without each of its heads."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from lesion.agent.analysis.arrays import Floats

from .design import Design, design, smallest_delta
from .processes import HERE, PYTHON, running

SHAPE = {"layers": 4, "heads": 8, "width": 64, "vocabulary": 256, "tokens": 64, "batch": 16}
TRAINING = {"weights": None, "steps": 1_400, "train_batch": 16, "rate": 5e-3, "held_out": 50_000}
POOL = 2_500
"""Sequences that δ and the size of the evaluation set are planned from; the evaluation set has none of them."""
PER_CENT = 0.01
HEADS = [(layer, head) for layer in range(SHAPE["layers"]) for head in range(SHAPE["heads"])]


@dataclass(frozen=True)
class Trained:
    """A trained model and what was planned for it."""

    folder: Path
    """With `weights.pt`, and `sequences.pt` of files that it was not trained on: the first `POOL` are the pool."""
    losses: Floats
    """On the pool, shape [1 + heads, examples]: of the intact model, then without each head."""
    usual: Design
    """With δ one per cent of the intact model's loss, said before any head was removed."""
    finest: Design
    """With the smallest δ that has a quarter of the heads within 2δ."""
    spare: int
    """Held-out sequences beside the pool."""


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """Trained here and now, in some minutes of one core."""
    folder = tmp_path_factory.mktemp("trained")
    (folder / "training.json").write_text(json.dumps({**SHAPE, **TRAINING}))
    script = HERE / "contenders" / "training.py"
    done = subprocess.run(
        [PYTHON, script, folder / "training.json", folder], stdout=subprocess.PIPE, text=True, check=True
    )
    told = json.loads(done.stdout)
    print(f"\ntrained on {told['bytes']:,} bytes of the standard library's source, to {told['loss']:.2f} nats a byte")
    config = configured(folder, 0, POOL)
    with running("by_hand", config, folder) as by_hand:
        losses = by_hand.ask([[], *([head] for head in HEADS)]).losses
    lost = losses[1:] - losses[0]
    usual, finest = design(lost, PER_CENT * float(losses[0].mean())), design(lost, smallest_delta(lost))
    return Trained(folder, losses, usual, finest, told["held_out"] - POOL)


def configured(folder: Path, first: int, examples: int) -> dict[str, Any]:
    """The experiment's configuration that evaluates some of the held-out sequences."""
    which = {"sequences": str(folder / "sequences.pt"), "first": first, "examples": examples}
    return {**SHAPE, "weights": str(folder / "weights.pt"), **which}
