"""A contender as a process: it loads its model, then removes sets of heads whenever a line of its input asks for it."""

import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import experiment
import torch
from torch import nn

Head = list[int]
"""Layer and place in it."""
Losses = list[list[float]]
"""Of each set of heads: the loss of each example without them."""


class Work(NamedTuple):
    """What is removed, and from what."""

    config: dict[str, Any]
    model: nn.Module
    batches: list[torch.Tensor]
    """Each of shape [B, tokens + 1]."""

    @property
    def width(self) -> int:
        """Columns of one head in the input of the output projection."""
        return self.config["width"] // self.config["heads"]

    def columns(self, head: int) -> slice:
        """Those of one head."""
        return slice(head * self.width, (head + 1) * self.width)


def load() -> Work:
    """From the configuration that the first argument names; one thread, no gradients."""
    torch.set_num_threads(1)
    torch.set_grad_enabled(False)
    config = json.loads(Path(sys.argv[1]).read_text())
    model = experiment.build_model(config)
    experiment.load_weights(model, config)
    return Work(config, model, list(experiment.batches(config, "validation")))


def serve(removed: Callable[[list[list[Head]]], Losses]) -> None:
    """Answer lines `{"sets": [[[layer, head], …], …]}` by the losses without each set of heads."""
    answer(lambda asked: lambda: {"losses": removed(asked["sets"])})


def answer(prepare: Callable[[dict[str, Any]], Callable[[], dict[str, Any]]]) -> None:
    """Answer every line by what its prepared work comes to, the CPU seconds that this took, and the process's memory."""
    answers, sys.stdout = sys.stdout, sys.stderr  # libraries talk
    for line in sys.stdin:
        measure = prepare(json.loads(line))
        start = time.process_time()
        found = measure()
        seconds = time.process_time() - start
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        answers.write(json.dumps({**found, "seconds": seconds, "peak": peak}) + "\n")
        answers.flush()
