"""Re-evaluation: one trained model, evaluated under every arm, and given back to the next as it was."""

import time
from contextlib import contextmanager
from functools import partial
from typing import Any, Callable, Dict, Generator, Iterator, List, Optional, Sequence, Tuple

import torch
from torch import nn

from .columns import metrics_still_to_come
from .experiment import Run, Weights, batch_name, own_name
from .filling import Refused, Statistics
from .measured import plain_results
from .operate import References, Spec, operate, site_of, undo, watch
from .scoring import Scorer, size_of
from .streaming import Stream, shuffled
from .surgery import Cut
from .targets import Scores
from .tensors import Checksum, checksums
from .wire import pack

Ask = Callable[[], Dict[str, Any]]
Mark = Callable[[int], None]
"""Told of the arm that runs from now on."""
ROOM = 1 << 30
"""Bytes of batches held at once, where a job says nothing."""


class Sweep:
    """A trained model and what all arms share: how it is evaluated, its reference statistics, its weights as they were."""

    def __init__(self, run: Run, metrics: "Sequence[str]") -> None:
        self.run = run
        self._pristine = {name: one.detach().cpu().clone() for name, one in _state(run.model).items()}
        self._before = checksums(run.model)
        self._cuts: List[Cut] = []
        self._training = {module: module.training for module in run.model.modules()}
        self.scores = {"batches", "score"} <= set(run.offers)
        self.scores_all = self.scores and self._scores_all(metrics)
        self.restore()

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
            self.restore()
        return statistics

    def baseline(self, room: int) -> "Dict[str, Any]":
        """The results with nothing cut, evaluated twice: `wobble` tells whether that is deterministic, `batches` whether
        the order in which batches are scored makes no difference.

        `room`: bytes of batches that may be held at once.
        """
        found = self.measure([], {})
        if self.scores_all and not found["changed_weights"]:
            batches = self._in_another_order(found, room)
            if batches is not None:
                return {**found, "wobble": 0.0, "batches": batches}
        return {**found, "wobble": _difference(found, self.measure([], {}))}

    def _in_another_order(self, found: "Dict[str, Any]", room: int) -> "Optional[Dict[str, List[int]]]":
        """Split → examples of each batch; None where scoring them in random order gives another value anywhere, or where
        they do not fit."""
        sizes: Dict[str, List[int]] = {}
        for split in self.run.splits():
            scores = self._shuffled(split, room)
            if scores is None or _packed(scores) != found["examples"][split]:
                return None
            sizes[split] = [max(map(len, one.values()), default=0) for one in scores]
        return sizes

    def _shuffled(self, split: str, room: int) -> "Optional[List[Scores]]":
        """Every batch of a split scored in random order; None where they do not fit, or scoring changes weights."""
        batches: List[Any] = []
        for batch in self.run.listed(own_name(split)):
            room -= size_of(batch)
            if room < 0:
                return None
            batches.append(batch)
        scorer, scores = Scorer(self.run, self.restore, careful=False), dict[int, Scores]()
        try:
            with _eagerly(self.run.model):
                scorer.begin_split()
                for at in shuffled(len(batches), f"{split}/{self.run.seed}"):
                    scores[at] = scorer.score(batches[at], batch_name(own_name(split), at)).scores
        finally:
            scorer.close()
            changed = self.restore()
        return None if changed else [scores[at] for at in range(len(batches))]

    def measure(self, specs: "List[Spec]", references: References) -> "Dict[str, Any]":
        """One arm's results, evaluated as a whole; afterwards the model is what it was, whatever evaluating it did."""
        self.run.seconds.pop("evaluate", None)
        cuts = operate(self.run.model, specs, self.run.seed, references)
        self._cuts = cuts
        try:
            with _summing(self.run.model) as outputs:
                found = plain_results(self.evaluate())
            proofs = [cut.proof() for cut in cuts]
        finally:
            undo(cuts)
            changed = self.restore()
        fingerprint = outputs.with_values(found["examples"])
        return {**found, "fingerprint": fingerprint, "proofs": proofs, "changed_weights": changed}

    def evaluate(self) -> "Dict[str, Any]":
        """`batches` and `score` where they give every metric of the study; else whole evaluations, with what `score` tells
        of each example beside them."""
        with _eagerly(self.run.model):
            if self.scores_all or not self.scores:
                return self.run.score(self._begin) if self.scores_all else self.run.evaluate()
            whole, scored = self.run.evaluate(), self.run.score(self._begin)
        return {split: _with_examples(found, scored[split]) for split, found in whole.items()}

    def _begin(self, batch: str) -> None:
        for cut in self._cuts:
            cut.fill.begin(batch)

    def _scores_all(self, metrics: "Sequence[str]") -> bool:
        """Whether `score` gives every metric: of a batch, or of batches that are of one data set each."""
        seen: "Dict[str, None]" = {}
        with torch.no_grad(), _eagerly(self.run.model):
            for batch in self.run.module.batches(self.run.config, "validation"):
                seen.update(dict.fromkeys(self.run.module.score(self.run.model.eval(), batch)))
                if not metrics_still_to_come(metrics, seen):
                    break
        return bool(seen) and set(metrics) <= set(seen)

    def restore(self) -> "List[str]":
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


def sweep(run: Run, weights: "Optional[Weights]", job: "Dict[str, Any]", mark: Mark) -> "Iterator[Tuple[int, Ask]]":
    """`(arm, a function that gives its results)`: set up first, so that what fails there is not an arm's fault.

    The baseline first; the others batch by batch where that is known to change nothing, else each as a whole.
    """
    run.build()
    run.load_weights(weights)
    whole, room = Sweep(run, job["metrics"]), job.get("memory") or ROOM
    arms = [arm["interventions"] for arm in job["arms"]]
    parts = [specs for arm in job["arms"] for specs in (arm.get("parts") or {}).values()]
    references = whole.references([spec for specs in (*arms, *parts) for spec in specs])
    streamed = [part for part, specs in enumerate(arms) if specs and job.get("stream") and whole.scores_all]
    for part, specs in enumerate(arms):
        if part not in streamed:
            mark(part)
            alone = partial(whole.measure, specs, references)
            yield part, partial(_timed, run, alone if specs else partial(whole.baseline, room))
    if streamed:
        with _eagerly(run.model):
            yield from Stream(run, job, references, whole.restore, mark).results(streamed)


def _with_examples(whole: Any, scored: "Dict[str, Any]") -> Any:
    """A whole evaluation that gave no values for each example, with those of `score`."""
    if not isinstance(whole, dict) or whole.get("examples"):
        return whole
    return {**whole, "examples": scored["examples"]}


def _timed(run: Run, measure: Ask) -> "Dict[str, Any]":
    found = measure()
    return {**found, "seconds": {"evaluate": round(run.seconds["evaluate"], 6)}, "finished_at": time.time()}


def _packed(scores: "List[Scores]") -> "Dict[str, Any]":
    """The columns of batches, one behind another, as an outcome has them."""
    names = dict.fromkeys(name for one in scores for name in one)
    return {name: pack([value for one in scores for value in one.get(name, [])]) for name in names}


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
