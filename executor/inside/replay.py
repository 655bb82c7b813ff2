"""Module calls, recorded on a tape and replayed from one: a removal is run from the first call that it touches.

What ended before that call gives what it gave before; the callers of the touched module run again, so residual additions
stay what they are. Equal to the plain way to the last bit, or the calls do not come as recorded and `Lost` is raised.
"""

import time
from contextlib import contextmanager
from typing import Any, Dict, Generator, List, Optional, Set

from torch import nn

from .seeding import same_states, set_states, states
from .surgery import Cut
from .tape import Call, Key, Tape
from .tensors import tensors_of


class Lost(BaseException):
    """Modules are called in another order than was recorded; not an `Exception`, so that user code does not catch it."""


class Player:
    """Stands before every module call of one batch: replays from `source` up to call number `start`, records to `copy`."""

    def __init__(self, source: Optional[Tape] = None, start: int = 0, copy: Optional[Tape] = None) -> None:
        self.source, self.start, self.copy = source, start, copy
        self.hold: Set[Key] = set()
        """Which outputs the copy holds."""
        self.edited: Set[Key] = set()
        """Of which others edit the output in place."""
        self.spoilt: Set[nn.Module] = set()
        """Modules that have to be run."""
        self.draws = False
        """Whether torch's generators are drawn from while a batch is scored."""
        self.skipped = 0
        """Calls that were not made."""
        self._at, self._live = 0, source is None
        self._open: List[Call] = []

    def call(self, module: nn.Module, args: Any, kwargs: "Dict[str, Any]") -> Any:
        """What the module gives."""
        if Cut.looking_aside:
            return PLAIN(module, *args, **kwargs)
        if not self._live:
            found = self._expected(module)
            if self._at == self.start:
                self._live = True
            elif found.end <= self.start and found.stamps is not None:
                return self._replay(found)
            else:
                return self._rerun(found, module, args, kwargs)
        return PLAIN(module, *args, **kwargs) if self.copy is None else self._record(module, args, kwargs)

    def _expected(self, module: nn.Module) -> Call:
        assert self.source is not None
        if self._at >= len(self.source.calls) or self.source.calls[self._at].key[0] is not module:
            raise Lost(f"a call of {type(module).__name__} was not expected")
        return self.source.calls[self._at]

    def _replay(self, found: Call) -> Any:
        assert self.source is not None
        before, self._at = self._at, found.end
        self.skipped += found.end - before
        if self.copy is not None:
            self.copy.repeat(self.source.calls[before : found.end])
        if found.random is not None:
            set_states(found.random)
        return found.give()

    def _rerun(self, found: Call, module: nn.Module, args: Any, kwargs: "Dict[str, Any]") -> Any:
        """A caller of the touched module, or one whose output is not held: what it calls may be replayed."""
        self._at += 1
        output = PLAIN(module, *args, **kwargs) if self.copy is None else self._record(module, args, kwargs)
        if not self._live and self._at != found.end:
            raise Lost(f"{type(module).__name__} made fewer calls than were recorded")
        return output

    def _record(self, module: nn.Module, args: Any, kwargs: "Dict[str, Any]") -> Any:
        assert self.copy is not None
        call = self.copy.begin(module)
        self._open.append(call)
        before, started = states() if self.draws else None, time.perf_counter()
        try:
            output = PLAIN(module, *args, **kwargs)
        finally:
            call.seconds, call.end = time.perf_counter() - started, len(self.copy.calls)
            if module in self.spoilt:
                for one in self._open:
                    one.spoilt = True
            self._open.pop()
        if before is not None and not same_states(before, after := states()):
            call.random = after
        if call.key in self.hold and not call.spoilt:
            call.hold(output, call.key in self.edited or any(one.is_inference() for one in tensors_of(output)))
        return output

    def finish(self) -> None:
        """`Lost` where the touched call never came."""
        if self.source is not None and not self._live and self._at != len(self.source.calls):
            raise Lost("fewer calls came than were recorded")


PLAIN = nn.Module.__call__
_players: "List[Any]" = []


@contextmanager
def intercepted() -> "Generator[None, None, None]":
    """Every module call in the body goes through the player of the time, hooks and all.

    Set once for many batches: to change a method of all modules, Python goes through every class of them.
    """
    nn.Module.__call__ = _call
    try:
        yield
    finally:
        nn.Module.__call__ = PLAIN


def _call(module: nn.Module, *args: Any, **kwargs: Any) -> Any:
    return _players[-1].call(module, args, kwargs) if _players else PLAIN(module, *args, **kwargs)


@contextmanager
def played(player: Any) -> "Generator[None, None, None]":
    """Module calls in the body go through `player.call`, where they are intercepted."""
    _players.append(player)
    try:
        yield
    finally:
        _players.pop()
