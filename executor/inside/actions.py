"""What a job can ask for. Each action yields arms, each with a function that answers for it, to be called in turn: what
fails before the first is no arm's fault."""

import os
import platform
import sys
import time
from pathlib import Path
from typing import Any, BinaryIO, Callable, Dict, Iterator, List, NamedTuple, Optional, Tuple

from .experiment import Run, Weights, forget, read_weights
from .measured import plain_results
from .operate import operate, undo
from .steps import flops_of, noting_form, one_step, recording, trained_a_step
from .surgery import Cut
from .sweep import Mark, Sweep, sweep
from .tensors import weights_digest

Job = Dict[str, Any]
Answer = Dict[str, Any]


class Given(NamedTuple):
    """What a job was given beside its message. Either may be missing."""

    weights: Optional[Weights]
    """Those to start from."""
    file: Optional[BinaryIO]
    """Where the trained weights go."""


def answers(job: Job, files: "Dict[str, BinaryIO]", mark: Mark) -> "Iterator[Tuple[int, Callable[[], Answer]]]":
    """What each arm of the job comes to, once asked, in the order in which they end.

    Args:
        job: the message.
        files: the checkpoint to `read`, the one to `write`.
        mark: told of the arm that runs from now on, whose fault it is if nothing comes back.
    """
    if job["action"] == "ping":
        return iter([(0, dict)])
    # before any code of the user's runs, which must not find the file open
    given = Given(read_weights(files["read"]) if "read" in files else None, files.get("write"))
    os.chdir(job["cwd"])
    if job["action"] == "reevaluate":
        return _reevaluate(job, given, mark)
    return in_order(ACTIONS[job["action"]](job, given), mark)


def in_order(asked: "Iterator[Callable[[], Answer]]", mark: Mark) -> "Iterator[Tuple[int, Callable[[], Answer]]]":
    """Arms one after the other."""
    for part, answer in enumerate(asked):
        mark(part)
        yield part, answer


def _retrain(job: Job, given: Given) -> "Iterator[Callable[[], Answer]]":
    """Train and evaluate, with the cut there from initialisation."""

    def answer() -> Answer:
        run = Run(job, job["arms"][0]["config"])
        run.build()
        cuts = operate(run.model, job["arms"][0]["interventions"], run.seed)
        run.train()
        if given.file:
            run.save_weights(given.file)
        return {**plain_results(run.evaluate()), **_facts(run, cuts)}

    yield answer


def _rescore(job: Job, given: Given) -> "Iterator[Callable[[], Answer]]":
    """Evaluate weights that were trained elsewhere, with the cut there as it was in training: from initialisation."""

    def answer() -> Answer:
        run = Run(job, job["arms"][0]["config"])
        run.build()
        cuts = operate(run.model, job["arms"][0]["interventions"], run.seed)
        run.load_weights(given.weights)
        return {**plain_results(run.evaluate()), **_facts(run, cuts)}

    yield answer


def _recover(job: Job, given: Given) -> "Iterator[Callable[[], Answer]]":
    """Cut the trained model, evaluate, train on with the cut in place, evaluate again."""

    def answer() -> Answer:
        run = Run(job, job["arms"][0]["config"])
        run.build()
        run.load_weights(given.weights)
        specs = job["arms"][0]["interventions"]
        cuts = operate(run.model, specs, run.seed, Sweep(run, job["metrics"]).references(specs))
        cut = plain_results(run.evaluate())["metrics"]
        run.finetune(job["steps"])
        return {**plain_results(run.evaluate()), **_facts(run, cuts), "cut": cut}

    yield answer


def _reevaluate(job: Job, given: Given, mark: Mark) -> "Iterator[Tuple[int, Callable[[], Answer]]]":
    """One trained model, evaluated under every arm."""
    yield from sweep(Run(job, job["arms"][0]["config"]), given.weights, job, mark)


def _check(job: Job, given: Given) -> "Iterator[Callable[[], Answer]]":
    """One training step and one step of evaluation of each arm, each on a new model."""
    for arm in job["arms"]:
        yield lambda arm=arm: _checked(job, arm)


def _checked(job: Job, arm: "Dict[str, Any]") -> Answer:
    run = _run_anew(job, arm["config"])
    run.build()
    cuts = operate(run.model, arm["interventions"], run.seed)
    stages = one_step(run)
    facts = _facts(run, cuts)
    undo(cuts)  # what is counted is the model as it was built; what a cut would save is reckoned from its modules
    return {"stages": stages, "form": run.form, **facts, "flops": flops_of(run)}


def _run_anew(job: Job, config: "Dict[str, Any]") -> Run:
    """Without what an earlier arm left in the experiment's modules, such as a generator that has been drawn from."""
    os.chdir(job["cwd"])
    left = forget(Path(job["cwd"]))
    try:
        return Run(job, config)
    except Exception:
        if not left:
            raise
        sys.modules.update(left)  # registries may refuse a second import
        return Run(job, config)


def _anatomy(job: Job, given: Given) -> "Iterator[Callable[[], Answer]]":
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
            with recording(run.model, stages, "evaluate"), noting_form(run):
                found = plain_results(run.evaluate())
        facts = _facts(run, [])
        reference = ["reference"] if run.has_reference() else []
        return {
            **found,
            **facts,
            "stages": stages,
            "form": run.form,
            "offers": [*run.offers, *reference],
            "flops": anatomist.flops,
            "anatomy": anatomist.describe(),
            "heads": anatomist.heads(),
            "tensors": anatomist.parameters(),
            "environment": _environment(),
        }

    yield answer


ACTIONS: "Dict[str, Callable[[Job, Given], Iterator[Callable[[], Answer]]]]" = {
    "retrain": _retrain,
    "rescore": _rescore,
    "recover": _recover,
    "check": _check,
    "anatomy": _anatomy,
}


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
