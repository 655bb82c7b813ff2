"""An arm whose verdicts are settled ends early: it tells what it was shown, and nothing of the rest."""

import numpy as np
import pytest
import torch
from lesion.executor.interventions import ModuleIntervention
from lesion.executor.outcomes import Packed
from torch import nn

from .bench import plainly, run_of, streamed

BATCH, BATCHES = 8, 40
STOPPING = {"alpha": 0.05, "share": 0.2, "deltas": {"evaluation": {"loss": 0.01}}, "order": 0}
SPECS = [ModuleIntervention(path="0", removal="zero").model_dump()]


@pytest.fixture
def run():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 1)).eval()
    batches = [torch.randn(BATCH, 4) + 3 for _ in range(BATCHES)]
    return run_of(model, batches, lambda model, batch: {"loss": model(batch)[:, 0]})


def values(columns):
    return Packed.model_validate(columns["loss"]).values()


def test_what_it_was_shown_is_told_and_counted(run):
    found = streamed(run, {"removed": {"interventions": SPECS, "family": 1}}, stopping=STOPPING)["removed"]
    told, whole = values(found["examples"]["evaluation"]), values(plainly(run, SPECS)[0])
    shown = np.isfinite(told)
    seen = found["seen"]["evaluation"]
    assert seen == {"examples": shown.sum(), "of": BATCH * BATCHES}
    assert 0 < seen["examples"] < seen["of"]
    assert shown.reshape(BATCHES, BATCH).all(axis=1).sum() * BATCH == seen["examples"]
    assert not shown[: seen["examples"]].all()  # in random order
    assert np.array_equal(told[shown], whole[shown])
    assert found["metrics"]["evaluation"]["loss"] == pytest.approx(whole[shown].mean())


def test_one_that_belongs_to_no_family_goes_to_the_end(run):
    found = streamed(run, {"removed": {"interventions": SPECS, "family": None}}, stopping=STOPPING)["removed"]
    assert found["seen"] == {}
    assert np.array_equal(values(found["examples"]["evaluation"]), values(plainly(run, SPECS)[0]))
