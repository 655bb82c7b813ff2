"""One batch on tape, and removals run from it: what is held, in how much memory, and that nobody edits it unseen."""

from typing import Any, Callable, Dict, List, Optional, Sequence, Set, Tuple

from torch import nn

from .operate import Spec
from .replay import Player
from .scoring import Scorer, Shown, equal
from .spoiling import Survey, hindrance
from .tape import Key, Tape, held, worth_holding
from .targets import Node, Proved, Target, callers_of, nested

TRIES = 4
"""Recordings of one batch until it is known which outputs others edit."""


class Unfaithful(Exception):
    """Recording or replaying changes what comes out; the message says where that was seen."""


class Recorder:
    """Records the baseline of one batch after another; `replay` runs removals from it.

    `memory`: bytes that may be held; what does not fit is computed again.
    """

    def __init__(self, model: nn.Module, memory: int) -> None:
        self._memory, self._model = memory, model
        self._callers = callers_of(model)
        self._sizes: Dict[Key, int] = {}
        self._spoilt: Set[nn.Module] = set()
        self._edited: Set[Key] = set()
        self._draws, self._surveyed = False, False
        self._hold: Set[Key] = set()
        self._held_for: "Tuple[Any, ...]" = ()
        self._trace, self._tape = Tape(), Tape()
        self._nested: List[Tape] = []
        """Tapes of removals that others are nested in, the outermost first."""
        self._inner: Dict[Tuple[str, ...], Target] = {}
        self._again: "Callable[[], Shown]" = lambda: Shown({}, [])
        self.held = 0
        """Bytes held at most while this batch was gone through."""

    def record(self, scorer: Scorer, batch: Any, name: str, targets: "Sequence[Target]") -> Shown:
        """Score a batch with nothing cut, on tape. `Unfaithful` where that cannot be done."""
        if not self._surveyed:
            self._survey(scorer, batch, name)
        self._choose(targets)
        self._again = lambda: self._recorded(scorer, batch, name)
        return self._again()

    def release(self) -> None:
        """Hold nothing of this batch any more."""
        self._tape.release()
        for one in self._inner.values():
            one.values.clear()
        self.held = 0

    def replay(
        self, targets: "Sequence[Target]", make: "Callable[[List[Spec]], Target]", run: "Callable[[Target, Any], None]"
    ) -> None:
        """Run every target on the recorded batch, those that begin alike one in another.

        Args:
            targets: to be run.
            make: a target for what several begin with, where that is none of them.
            run: scores the batch with a target's cuts in and a player before its modules.
        """
        starts: Dict[str, int] = {}
        specs: Dict[str, Spec] = {}
        for one in targets:
            starts.update(one.starts(self._tape, self._callers))
            specs.update(zip(one.names, one.specs))  # noqa: B905
        for node in nested(targets, starts):
            self._complete(node, specs, make)
            self._play(node, self._tape, {}, run)

    def _complete(self, node: Node, specs: "Dict[str, Spec]", make: "Callable[[List[Spec]], Target]") -> None:
        """Give every node a target: its own, or one made for what its children begin with."""
        if node.target is None:
            if node.names not in self._inner:
                self._inner[node.names] = make([specs[name] for name in node.names])
            node.target = self._inner[node.names]
        for child in node.children:
            self._complete(child, specs, make)

    def _survey(self, scorer: Scorer, batch: Any, name: str) -> None:
        """Learn how modules behave on the first batch: once as it is, so that what is set up at first use is there."""
        plain, survey = scorer.score(batch, name), Survey()
        self._draws, others = scorer.drawn(name)
        reason = hindrance(draws=others)
        if reason:
            raise Unfaithful(reason)
        if not equal(plain, scorer.score(batch, name, None, survey)):
            raise Unfaithful("the same batch scored twice gave other results")
        self._trace, self._sizes, self._spoilt = survey.finish(), survey.sizes, survey.spoilt
        self._surveyed = True

    def _choose(self, targets: "Sequence[Target]") -> None:
        """Which outputs to hold for these targets."""
        starts = [one.start(self._trace, self._callers) for one in targets]
        if self._held_for != tuple(starts):
            self._held_for = tuple(starts)
            self._hold = worth_holding(self._trace, starts, self._sizes, self._memory)

    def _recorded(self, scorer: Scorer, batch: Any, name: str) -> Shown:
        for _ in range(TRIES):
            self._tape = Tape()
            player = self._player(copy=self._tape)
            player.hold = self._hold
            shown = scorer.score(batch, name, None, player)
            edited = self._tape.edited()
            if not edited:
                self._weigh()
                return shown
            self._edited |= edited
        raise Unfaithful("outputs of modules are edited in ways that change from one time to the next")

    def _player(self, source: Optional[Tape] = None, start: int = 0, copy: Optional[Tape] = None) -> Player:
        player = Player(source, start, copy)
        player.edited, player.spoilt, player.draws = self._edited, self._spoilt, self._draws
        return player

    def _play(self, node: Node, source: Tape, shown: "Dict[str, Proved]", run: "Callable[[Target, Any], None]") -> None:
        """Run a node from a tape, then what is nested in it from its own. `shown`: what the cuts on the tape have done."""
        target = node.own
        tries = TRIES
        while True:
            tries -= 1
            if not source.intact():
                source, shown = self._renewed(), {}
            before, player = target.proved(), self._player_for(node, source, shown)
            run(target, player)
            edited = player.copy.edited() if player.copy else set[Key]()
            if not (edited and tries):
                break
            self._edited |= edited
            target.believe(before)
        target.skipped, target.calls = target.skipped + player.skipped, target.calls + len(source.calls)
        lately = target.learn(before, shown)
        if player.copy is None:
            return
        self._nested.append(player.copy)
        self._weigh()
        usable = not edited and target.failure is None
        for child in node.children:
            if usable and player.copy.intact():
                self._play(child, player.copy, lately, run)
            else:
                self._play(child, self._renewed(), {}, run)
        self._nested.pop().release()

    def _weigh(self) -> int:
        """Bytes held now."""
        now = held([self._tape, *self._nested])
        self.held = max(self.held, now)
        return now

    def _player_for(self, node: Node, source: Tape, shown: "Dict[str, Proved]") -> Player:
        """Replays up to the first call that the cuts touch which are not on the tape; records where others are nested in it."""
        start = node.own.start(source, self._callers, without=shown)
        player = self._player(source, start, Tape() if node.children else None)
        starts = [child.own.start(source, self._callers, without=node.names) for child in node.children]
        room = max(0, self._memory - self._weigh()) if starts else 0
        player.hold = worth_holding(source, starts, self._sizes, room)
        return player

    def _renewed(self) -> Tape:
        """The baseline's tape, recorded anew where a removal has edited what it holds."""
        if not self._tape.intact():
            self._edited |= self._tape.edited()
            self._again()
        return self._tape
