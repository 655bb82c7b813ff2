"""What a trial reserved on its GPU: told where CUDA was used, kept in the ledger, absent from older ones."""

import sys
from types import SimpleNamespace

from lesion.agent.ledger import NO_FACTS, Facts, Ledger, Trial
from lesion.executor.inside.gpu import gpu_memory
from lesion.executor.outcomes import Outcome


def torch_with(initialized, *reserved):
    cuda = SimpleNamespace(
        is_initialized=lambda: initialized,
        device_count=lambda: len(reserved),
        max_memory_reserved=lambda device: reserved[device],
        get_device_properties=lambda device: SimpleNamespace(total_memory=100 + device),
    )
    return SimpleNamespace(cuda=cuda)


def test_the_fullest_device_is_told_and_cuda_is_never_started(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", torch_with(False))
    assert gpu_memory() == {}
    monkeypatch.setitem(sys.modules, "torch", torch_with(True, 3, 8))
    assert gpu_memory() == {"peak_gpu_memory": 8, "gpu_memory": 101}
    monkeypatch.delitem(sys.modules, "torch")
    assert gpu_memory() == {}


def test_the_ledger_keeps_it_and_rows_of_older_ledgers_have_none(tmp_path):
    ledger = Ledger(tmp_path, write=True)
    ledger.plan_trials("v", [Trial("k", "baseline", "retrain", 0)])
    assert ledger.stored_bytes("k") == 0
    ledger.finish("k", Outcome(status="ok", output="eight by", peak_gpu_memory=8, gpu_memory=101))
    (row,) = ledger.trials("v")
    assert (row.facts.peak_gpu_memory, row.facts.gpu_memory) == (8, 101)
    assert ledger.stored_bytes("k") > len("eight by")
    ledger.close()
    assert NO_FACTS.peak_gpu_memory is None and Facts.model_validate_json('{"wobble": 0.1}').gpu_memory is None
