"""Re-evaluation batch by batch: each batch is scored once with nothing cut, then by every removal whose verdicts are open.

Batches come in random order. What the baseline's modules gave is replayed up to the first call that a removal touches, and
removals that begin alike are recorded and replayed in turn. Checked against the plain way, which takes over where they differ.
"""

import random
import time
import zlib
from typing import Any, Callable, Dict, Iterator, List, Optional, Sequence, Tuple

from .asked import Asked, Place
from .experiment import Run, own_name
from .measured import Invalid
from .operate import References, Spec
from .recording import Recorder, Unfaithful
from .replay import Lost, intercepted
from .scoring import Scorer, Shown, digest, same_scores, sample
from .targets import Scores, Target, distinct, packed

Ask = Callable[[], Dict[str, Any]]
CHECKED_ALWAYS = 2
"""Batches of a split in each of which a removal is checked against the plain way; behind them it is every power of two."""


class Stream:
    """A job's arms on one trained model."""

    def __init__(self, run: Run, job: "Dict[str, Any]", references: References, restore: Any, mark: Any) -> None:
        """`restore`: puts back weights that scoring changed, and names them. `mark`: told of the arm that runs now."""
        self._run, self._job, self._references, self._restore, self._mark = run, job, references, restore, mark
        self._splits: Sequence[str] = job.get("splits") or run.splits()
        self._remarks: List[str] = []
        self._held = 0

    def results(self, parts: "Sequence[int]") -> "Iterator[Tuple[int, Ask]]":
        """`(arm, a function that gives its results)` of these arms, in the order in which they come to their end."""
        with intercepted():
            yield from self._results(list(parts))

    def _results(self, waiting: "List[int]") -> "Iterator[Tuple[int, Ask]]":
        recorder: Optional[Recorder] = Recorder(self._run.model, self._job.get("memory") or 0)
        while True:
            scorer = Scorer(self._run, self._restore, careful=recorder is None)
            try:
                for asked in self._measured(scorer, recorder, waiting):
                    waiting.remove(asked.part)
                    yield asked.part, self._answer(asked)
            except Unfaithful as difference:
                self._remarks.append(f"replaying was given up for the plain way: {difference}")
                recorder = None
            else:
                return
            finally:
                scorer.close()

    def _measured(self, scorer: Scorer, recorder: Optional[Recorder], waiting: "List[int]") -> "Iterator[Asked]":
        """Every arm that is waited for, as it comes to its end."""
        every, broken = self._asked(list(waiting))
        yield from broken
        for split in self._splits:
            sound = [one for one in every if one.target.failure is None]
            for one in sound:
                one.begin(split, self._job.get("stopping"))
            scorer.begin_split()
            last = split == self._splits[-1]
            for number, place in enumerate(self._places(split)):
                opened = [one for one in sound if one.is_open(split)]
                if not opened:
                    break
                self._go_through(scorer, recorder, place, number, opened)
                yield from (
                    one for one in opened if one.target.failure is not None or (last and not one.is_open(split))
                )
            if recorder is not None and self._restore():
                raise Unfaithful("scoring changes weights unseen")
        yield from (one for one in every if one.target.failure is None and one.is_open(self._splits[-1]))

    def _asked(self, parts: "List[int]") -> "Tuple[List[Asked], List[Asked]]":
        """These arms, and those of them whose interventions do not fit. Equal removals are measured once."""
        made: Dict[str, Target] = {}

        def target(specs: "Sequence[Spec]") -> Target:
            name = repr(specs)
            if name not in made:
                made[name] = self._target(specs)
            return made[name]

        arms = [(part, self._job["arms"][part]) for part in parts]
        every = [
            Asked(
                part,
                target(arm["interventions"]),
                {name: target(specs) for name, specs in (arm.get("parts") or {}).items()},
                arm.get("family"),
                self._job["stream"],
            )
            for part, arm in arms
        ]
        return every, [one for one in every if one.target.failure is not None]

    def _target(self, specs: "Sequence[Spec]") -> Target:
        try:
            return Target(self._run.model, specs, self._run.seed, self._references)
        except Exception as error:
            broken = Target(self._run.model, [], self._run.seed, {})
            broken.failure = error
            return broken

    def _places(self, split: str) -> "Iterator[Place]":
        """The batches of a split in random order, the same for every job of this model."""
        batches = list(self._run.listed(own_name(split)))
        known = self._job["stream"].get(split)
        if known is not None and len(known) != len(batches):
            raise Invalid(
                f"batches gave {len(batches)} batches for the {split} split where it gave {len(known)} before"
            )
        order = (self._job.get("stopping") or {}).get("order", 0)
        for at in shuffled(len(batches), f"{split}/{self._run.seed}/{order}"):
            yield Place(split, at, batches[at])

    def _go_through(
        self, scorer: Scorer, recorder: Optional[Recorder], place: Place, number: int, opened: "List[Asked]"
    ) -> None:
        """One batch: the baseline, then all that is open."""
        targets = distinct(one for each in opened for one in each.targets)
        started = time.perf_counter()
        base = self._base(scorer, recorder, place, targets)
        spent = (time.perf_counter() - started) / len(opened)
        self._run_all(scorer, recorder, place, targets, opened, base)
        if recorder is not None:
            self._check(scorer, place, number, targets)
            self._held = max(self._held, recorder.held)
            recorder.release()
        for one in opened:
            one.seconds += spent
            if one.target.failure is None:
                one.look(base.scores, place)

    def _base(self, scorer: Scorer, recorder: Optional[Recorder], place: Place, targets: "List[Target]") -> Shown:
        """The batch with nothing cut."""
        if recorder is None:
            return scorer.score(place.batch, place.name)
        try:
            return recorder.record(scorer, place.batch, place.name, targets)
        except Unfaithful:
            raise
        except Exception as error:
            raise Unfaithful(f"{type(error).__name__} while recording") from error

    def _run_all(
        self,
        scorer: Scorer,
        recorder: Optional[Recorder],
        place: Place,
        targets: "List[Target]",
        opened: "List[Asked]",
        base: Shown,
    ) -> None:
        owner = {id(one): each.part for each in reversed(opened) for one in reversed(each.targets)}
        printed = digest(base) if any(one.same for one in targets) else []
        del base.outputs[:]

        def run(target: Target, player: Any) -> None:
            """Score the batch with one target's cuts in, and keep what came out."""
            self._mark(owner.get(id(target), opened[0].part))
            shown = self._scored(scorer, place, target, player)
            if shown is not None:
                self._keep(target, place, shown, base.scores, printed)

        if recorder is None:
            for one in targets:
                run(one, None)
        else:
            recorder.replay(targets, self._target, run)

    def _scored(self, scorer: Scorer, place: Place, target: Target, player: Any) -> Optional[Shown]:
        """None where the target fails, in the plain way too."""
        try:
            return scorer.score(place.batch, place.name, target, player)
        except Lost as lost:
            raise Unfaithful(str(lost)) from None
        except (KeyboardInterrupt, Exception, SystemExit) as error:
            if player is None:
                target.failure = error
                return None
            told = f"{type(error).__name__} with replay alone"
        if self._scored(scorer, place, target, None) is not None:
            raise Unfaithful(told)
        return None

    def _keep(self, target: Target, place: Place, shown: Shown, base: Scores, printed: "List[Any]") -> None:
        if not target.print:
            target.print = sample(shown)
        if target.same:
            target.same = same_scores(shown.scores, base) and digest(shown) == printed
        target.values.setdefault(place.split, {})[place.at] = packed(shown.scores)

    def _check(self, scorer: Scorer, place: Place, number: int, targets: "List[Target]") -> None:
        """Score a sample of the removals in the plain way too: the first of each kind, then one that is drawn."""
        ready = [one for one in targets if one.failure is None]
        if not ready:
            return
        chosen = [one for one in ready if not one.checked] if number == 0 else []
        firsts = {one.kind: one for one in reversed(chosen)}
        if number and (number <= CHECKED_ALWAYS or not number & (number - 1)):
            firsts = {(): random.Random(zlib.crc32(place.name.encode())).choice(ready)}
        for one in firsts.values():
            self._compare(scorer, place, one)

    def _compare(self, scorer: Scorer, place: Place, target: Target) -> None:
        proved, spent = target.proved(), (target.seconds, target.processor_seconds)
        plain = self._scored(scorer, place, target, None)
        target.believe(proved)
        target.seconds, target.processor_seconds = spent
        if plain is None or not same_scores(plain.scores, target.values[place.split][place.at]):
            raise Unfaithful(f"{', '.join(cut.target for cut in target.cuts)} came to another result")
        target.checked = True

    def _answer(self, asked: Asked) -> Ask:
        def told() -> "Dict[str, Any]":
            return {**asked.told(), "held_memory": self._held or None, "remarks": list(self._remarks)}

        return told


def shuffled(count: int, name: str) -> "List[int]":
    """A random order, the same for the same name."""
    return random.Random(zlib.crc32(name.encode())).sample(range(count), count)
