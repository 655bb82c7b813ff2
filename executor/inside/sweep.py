"""Re-evaluation: one trained model, evaluated once for every arm, and given back to the next as it was."""

from contextlib import contextmanager
from typing import Any, Dict, Generator, Iterator, List, Optional, Sequence

import torch
from torch import nn

from .columns import metrics_still_to_come
from .experiment import Run, Weights
from .filling import Refused, Statistics
from .measured import plain_results
from .operate import References, Spec, operate, site_of, undo, watch
from .tensors import Checksum, checksums

Arm = Dict[str, Any]
"""`{"interventions": […]}`; without any it is the baseline."""


class Sweep:
    """A trained model and what all arms share: how it is evaluated, its reference statistics, its weights as they were."""

    def __init__(self, run: Run, metrics: "Sequence[str]") -> None:
        self.run = run
        self._pristine = {name: one.detach().cpu().clone() for name, one in _state(run.model).items()}
        self._before = checksums(run.model)
        self._training = {module: module.training for module in run.model.modules()}
        self.scores = {"batches", "score"} <= set(run.offers)
        self.streams = self.scores and self._scores_all(metrics)
        self._restore()

    def references(self, specs: "Sequence[Spec]") -> References:
        """Statistics of every site that needs some, from the reference split, with nothing cut. A site that makes no
        sense is the fault of its own arm alone."""
        try:
            return dict(self._watched(specs))
        except Refused:
            return {site: one for spec in specs for site, one in self._watched_alone(spec).items()}

    def _watched_alone(self, spec: Spec) -> References:
        try:
            return dict(self._watched([spec]))
        except Refused as refusal:
            return {site_of(spec): refusal}

    def _watched(self, specs: "Sequence[Spec]") -> "Dict[str, Statistics]":
        watchers, statistics = watch(self.run.model, specs)
        try:
            if statistics:
                with _eagerly(self.run.model):
                    self.run.refer()
        finally:
            undo(watchers)
            self._restore()
        return statistics

    def measure(self, specs: "List[Spec]", references: References) -> "Dict[str, Any]":
        """One arm's results; the baseline is evaluated twice, to see whether evaluating it is deterministic."""
        found = self._measured(specs, references)
        again = None if specs else self._measured(specs, references)
        return found if again is None else {**found, "wobble": _difference(found, again)}

    def _measured(self, specs: "List[Spec]", references: References) -> "Dict[str, Any]":
        """One evaluation; afterwards the model is what it was, whatever evaluating it did."""
        self.run.seconds.pop("evaluate", None)
        cuts = operate(self.run.model, specs, self.run.seed, references)
        try:
            with _summing(self.run.model) as outputs:
                found = plain_results(self.evaluate())
            proofs = [cut.proof() for cut in cuts]
        finally:
            undo(cuts)
            changed = self._restore()
        fingerprint = outputs.with_values(found["examples"])
        return {**found, "fingerprint": fingerprint, "proofs": proofs, "changed_weights": changed}

    def evaluate(self) -> "Dict[str, Any]":
        """`batches` and `score` where they give every metric of the study; else whole evaluations, with what `score` tells
        of each example beside them."""
        with _eagerly(self.run.model):
            if self.streams or not self.scores:
                return self.run.score() if self.streams else self.run.evaluate()
            whole, scored = self.run.evaluate(), self.run.score()
        return {split: _with_examples(found, scored[split]) for split, found in whole.items()}

    def _scores_all(self, metrics: "Sequence[str]") -> bool:
        """Whether `score` gives every metric: of a batch, or of batches that are of one data set each."""
        seen: "Dict[str, None]" = {}
        with torch.no_grad(), _eagerly(self.run.model):
            for batch in self.run.module.batches(self.run.config, "validation"):
                seen.update(dict.fromkeys(self.run.module.score(self.run.model.eval(), batch)))
                if not metrics_still_to_come(metrics, seen):
                    break
        return bool(seen) and set(metrics) <= set(seen)

    def _restore(self) -> "List[str]":
        """Put back what an evaluation changed in the weights, and its modes; the names of those weights.

        What it has added, as a cache in a buffer, stays.
        """
        for module, training in self._training.items():
            module.training = training
        after = checksums(self.run.model)
        changed = [name for name, one in self._before.items() if name in after and after[name] != one]
        if changed:
            state = _state(self.run.model)
            for name in changed:
                _put_back(state[name], self._pristine[name])
        return changed


def sweep(run: Run, weights: "Optional[Weights]", job: "Dict[str, Any]") -> "Iterator[Any]":
    """A function for every arm, that measures it: set up first, so that what fails there is not an arm's fault."""
    run.build()
    run.load_weights(weights)
    whole = Sweep(run, job["metrics"])
    specs = [spec for arm in job["arms"] for spec in arm["interventions"]]
    references = whole.references(specs)
    for arm in job["arms"]:
        yield lambda arm=arm: whole.measure(arm["interventions"], references)


def _with_examples(whole: Any, scored: "Dict[str, Any]") -> Any:
    """A whole evaluation that gave no values for each example, with those of `score`."""
    if not isinstance(whole, dict) or whole.get("examples"):
        return whole
    return {**whole, "examples": scored["examples"]}


def _state(model: nn.Module) -> "Dict[str, torch.Tensor]":
    return {**dict(model.named_parameters()), **dict(model.named_buffers())}


def _put_back(tensor: torch.Tensor, values: torch.Tensor) -> None:
    if tensor.shape == values.shape:
        tensor.data.copy_(values)
    else:
        tensor.data = values.to(tensor.device, copy=True)


def _difference(one: "Dict[str, Any]", other: "Dict[str, Any]") -> float:
    """The largest difference between two evaluations of one model, over metrics and splits; 0 where they are equal."""
    return max(
        abs(value - other["metrics"][split][name])
        for split, values in one["metrics"].items()
        for name, value in values.items()
    )


@contextmanager
def _summing(model: nn.Module) -> "Generator[Checksum, None, None]":
    """A checksum of everything the model puts out in the body."""
    seen = Checksum()
    handle = model.register_forward_hook(lambda _module, _args, output: seen.add(output))
    try:
        yield seen
    finally:
        handle.remove()


@contextmanager
def _eagerly(model: nn.Module) -> "Generator[None, None, None]":
    """Compiled models run uncompiled, in every arm alike: cuts made after the first call would not be seen."""
    compiled = any(
        type(module).__name__ == "OptimizedModule" or getattr(module, "_compiled_call_impl", None)
        for module in model.modules()
    )
    if not compiled or not hasattr(torch.compiler, "set_stance"):
        yield
        return
    with torch.compiler.set_stance("force_eager"):
        yield
