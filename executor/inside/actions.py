"""What a job can ask for. Each action yields one function an arm, to be called in turn: what fails before the first is
no arm's fault."""

import os
import platform
import sys
import time
from typing import Any, BinaryIO, Callable, Dict, Iterator, List, Optional

from .experiment import Run
from .measured import plain_results
from .operate import operate, undo
from .steps import flops_of, one_step, recording, trained_a_step
from .surgery import Cut
from .sweep import Sweep, sweep
from .tensors import weights_digest

Job = Dict[str, Any]
Answer = Dict[str, Any]
Files = Dict[str, BinaryIO]
"""`read`: the checkpoint to load; `write`: where the trained weights go. Either may be missing."""


def answers(job: Job, files: Files) -> "Iterator[Callable[[], Answer]]":
    """What each arm of the job comes to, once asked."""
    if job["action"] == "ping":
        return iter([dict])
    os.chdir(job["cwd"])
    return ACTIONS[job["action"]](job, files)


def _retrain(job: Job, files: Files) -> "Iterator[Callable[[], Answer]]":
    """Train and evaluate, with the cut there from initialisation."""

    def answer() -> Answer:
        run = Run(job, job["arms"][0]["config"])
        run.build()
        cuts = operate(run.model, job["arms"][0]["interventions"], run.seed)
        run.train()
        if "write" in files:
            run.save_weights(files["write"])
        return {**plain_results(run.evaluate()), **_facts(run, cuts)}

    yield answer


def _recover(job: Job, files: Files) -> "Iterator[Callable[[], Answer]]":
    """Cut the trained model, evaluate, train on with the cut in place, evaluate again."""

    def answer() -> Answer:
        run = Run(job, job["arms"][0]["config"])
        run.build()
        run.load_weights(files.get("read"))
        specs = job["arms"][0]["interventions"]
        cuts = operate(run.model, specs, run.seed, Sweep(run, job["metrics"]).references(specs))
        cut = plain_results(run.evaluate())["metrics"]
        run.finetune(job["steps"])
        return {**plain_results(run.evaluate()), **_facts(run, cuts), "cut": cut}

    yield answer


def _reevaluate(job: Job, files: Files) -> "Iterator[Callable[[], Answer]]":
    """One trained model, evaluated under each arm in turn."""
    run = Run(job, job["arms"][0]["config"])
    for measure in sweep(run, files.get("read"), job):
        yield lambda measure=measure: _with_time(measure, run)


def _check(job: Job, files: Files) -> "Iterator[Callable[[], Answer]]":
    """One training step and one step of evaluation of each arm, each on a new model."""
    for arm in job["arms"]:
        yield lambda arm=arm: _checked(job, arm)


def _checked(job: Job, arm: "Dict[str, Any]") -> Answer:
    run = Run(job, arm["config"])
    run.build()
    cuts = operate(run.model, arm["interventions"], run.seed)
    stages = one_step(run)
    facts = _facts(run, cuts)
    undo(cuts)  # what is counted is the model as it was built; what a cut would save is reckoned from its modules
    return {"stages": stages, **facts, "flops": flops_of(run)}


def _anatomy(job: Job, files: Files) -> "Iterator[Callable[[], Answer]]":
    """The baseline's check: one step where it is trained, one whole evaluation, and the module tree that both have shown."""
    from .anatomy import Anatomist

    def answer() -> Answer:
        run = Run(job, job["arms"][0]["config"])
        loads = "load_weights" in run.offers and job["modes"] != ["retrain"]
        trains = "retrain" in job["modes"] or not loads
        finetunes = ["finetune"] if "recover" in job["modes"] else []
        run.require(["build_model", *(["train"] if trains else []), *finetunes, "evaluate"])
        run.build()
        if loads:
            run.load_weights(None)
        anatomist = Anatomist(run.model)
        with anatomist.watching():
            stages: Dict[str, Any] = trained_a_step(run) if trains else {}
            with recording(run.model, stages, "evaluate"):
                found = plain_results(run.evaluate())
        facts = _facts(run, [])
        reference = ["reference"] if run.has_reference() else []
        return {
            **found,
            **facts,
            "stages": stages,
            "offers": [*run.offers, *reference],
            "flops": anatomist.flops,
            "anatomy": anatomist.describe(),
            "heads": anatomist.heads(),
            "tensors": anatomist.parameters(),
            "environment": _environment(),
        }

    yield answer


ACTIONS: "Dict[str, Callable[[Job, Files], Iterator[Callable[[], Answer]]]]" = {
    "retrain": _retrain,
    "recover": _recover,
    "reevaluate": _reevaluate,
    "check": _check,
    "anatomy": _anatomy,
}


def _with_time(measure: "Callable[[], Answer]", run: Run) -> Answer:
    found = measure()
    return {**found, "seconds": _rounded(run), "finished_at": time.time()}


def _facts(run: Run, cuts: "List[Cut]") -> Answer:
    return {
        "fingerprint": weights_digest(run.model),
        "proofs": [one.proof() for one in cuts],
        "seconds": _rounded(run),
        "parameters": sum(parameter.numel() for parameter in run.model.parameters()),
        "forwards": run.forwards,
        "finished_at": time.time(),
    }


def _rounded(run: Run) -> "Dict[str, float]":
    return {stage: round(seconds, 6) for stage, seconds in run.seconds.items()}


def _environment() -> Answer:
    import torch

    names = ("numpy", "sklearn", "transformers")
    loaded: Dict[str, Optional[str]] = {
        name: getattr(sys.modules[name], "__version__", None) for name in names if name in sys.modules
    }
    return {
        "python": platform.python_version(),
        "torch": str(torch.__version__),
        **{name: str(version) for name, version in loaded.items()},
        "cuda": str(torch.version.cuda),
        "gpus": [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())],
    }
