"""Re-evaluation batch by batch: each batch is scored once with nothing cut, then by every removal whose verdicts are open.

Batches come in random order. What the baseline's modules gave is replayed up to the first call that a removal touches, and
removals that begin alike are recorded and replayed in turn. Checked against the plain way, which takes over where they differ.
"""

import hashlib
import math
import random
import time
import zlib
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple

from .experiment import ONLY_SPLIT, Run, batch_name, summed
from .measured import Invalid, plain_results
from .operate import References, Spec
from .recording import Recorder, Unfaithful
from .replay import Lost, intercepted
from .scoring import Scorer, Shown, digest, same_scores, sample
from .stopping import Stopping
from .targets import Scores, Target, bits, distinct, packed
from .wire import pack

Arm = Dict[str, Any]
Ask = Callable[[], Dict[str, Any]]
CHECKED_ALWAYS = 2
"""Batches of a split in each of which a removal is checked against the plain way; behind them it is every power of two."""


class Place(NamedTuple):
    """One batch and where it stands."""

    split: str
    at: int
    """In the experiment's own order."""
    batch: Any

    @property
    def name(self) -> str:
        """What its seed is made from."""
        return batch_name(own_name(self.split), self.at)


class Asked:
    """One arm of a job: what it measures, the parts that it is compared with, and how far it has come."""

    def __init__(self, part: int, target: Target, parts: "Dict[str, Target]", family: Optional[int]) -> None:
        self.part, self.target, self.parts, self.family = part, target, parts, family
        self.places: Dict[str, List[int]] = {}
        """Split → the batches that it was shown, in their order."""
        self.stopping: Dict[str, Stopping] = {}
        self.seconds = 0.0

    def is_open(self, split: str) -> bool:
        """Whether more batches of a split are wanted."""
        rule = self.stopping.get(split)
        return self.target.failure is None and not (rule is not None and rule.settled)

    def look(self, base: Scores, place: Place) -> None:
        """Take in one more batch."""
        self.places.setdefault(place.split, []).append(place.at)
        rule = self.stopping.get(place.split)
        if rule is not None:
            parts = {name: one.values[place.split].get(place.at, {}) for name, one in self.parts.items()}
            rule.take(base, self.target.values[place.split][place.at], parts)

    @property
    def targets(self) -> "List[Target]":
        """Everything that is measured for it."""
        return [self.target, *(one for one in self.parts.values() if one.failure is None)]


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
                one.places[split] = []
                self._set_rule(one, split)
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

    def _set_rule(self, asked: Asked, split: str) -> None:
        rule = self._job.get("stopping")
        whole = [one for one in asked.parts.values() if one.failure is not None]
        if rule and asked.family and not whole:
            deltas = rule["deltas"].get(split, {})
            asked.stopping[split] = Stopping(rule["alpha"], rule["share"], asked.family, deltas)

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
        printed = digest(base)
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
        return lambda: self._told(asked)

    def _told(self, asked: Asked) -> "Dict[str, Any]":
        target = asked.target
        if target.failure is not None:
            raise target.failure
        found = plain_results({split: self._evaluated(asked, target, split) for split in asked.places})
        return {
            **found,
            "fingerprint": self._fingerprint(asked),
            "proofs": [cut.proof() for cut in target.cuts],
            "changed_weights": target.changed,
            "seen": {split: self._seen(asked, split) for split in asked.stopping},
            "same": target.same,
            "replayed": round(target.skipped / target.calls, 6) if target.calls else None,
            "held_memory": self._held or None,
            "parts": self._parts(asked),
            "remarks": list(self._remarks),
            "seconds": {"evaluate": round(target.seconds + asked.seconds, 6)},
            "cpu_seconds": target.processor_seconds,
            "finished_at": time.time(),
        }

    def _fingerprint(self, asked: Asked) -> str:
        """Of all scores, and of what was put out first: tells removals with other results apart."""
        seen = hashlib.sha256(repr(asked.target.print).encode())
        for split, places in asked.places.items():
            for at in places:
                seen.update(f"{split}/{at}".encode())
                for name, values in bits(asked.target.values[split][at]).items():
                    seen.update(name.encode() + values)
        return seen.hexdigest()

    def _evaluated(self, asked: Asked, target: Target, split: str) -> "Dict[str, Any]":
        """Metrics, of what the arm was shown, and columns."""
        shown: Dict[str, List[float]] = {}
        for at in sorted(asked.places[split]):
            for name, values in target.values.get(split, {}).get(at, {}).items():
                shown.setdefault(name, []).extend(values)
        return {**summed(shown), "examples": self._columns(asked, target, split)}

    def _columns(self, asked: Asked, target: Target, split: str) -> "Dict[str, List[float]]":
        """Columns in the experiment's own order; NaN for what the arm was not shown."""
        shown = set(asked.places[split])
        sizes: List[int] = self._job["stream"][split] if split in asked.stopping else []
        found = target.values.get(split, {})
        names = list(dict.fromkeys(name for at in shown for name in found.get(at, {})))
        columns: Dict[str, List[float]] = {name: [] for name in names}
        for at in range(len(sizes)) if sizes else sorted(shown):
            for name in names:
                columns[name].extend(found[at].get(name, ()) if at in shown and at in found else [math.nan] * sizes[at])
        return columns

    def _seen(self, asked: Asked, split: str) -> "Dict[str, int]":
        sizes: List[int] = self._job["stream"][split]
        return {"examples": sum(sizes[at] for at in asked.places[split]), "of": sum(sizes)}

    def _parts(self, asked: Asked) -> "Dict[str, Any]":
        measured = {name: one for name, one in asked.parts.items() if one.failure is None}
        return {
            name: {
                split: {column: pack(values) for column, values in self._columns(asked, one, split).items()}
                for split in asked.places
            }
            for name, one in measured.items()
        }


def shuffled(count: int, name: str) -> "List[int]":
    """A random order, the same for the same name."""
    return random.Random(zlib.crc32(name.encode())).sample(range(count), count)


def own_name(split: str) -> str:
    """The split as `batches` knows it."""
    return "validation" if split == ONLY_SPLIT else split
