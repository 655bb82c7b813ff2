"""Whether a row came out the same: trial by trial to the bit, else by the reported interval, else not."""

from collections.abc import Sequence

from ...executor.outcomes import Metrics
from ..arms import MEASURED
from ..records.base import Interval
from ..records.bundle import Compared, Told, Verdict

SHOWN = 4


def compared(before: Told, now: Told) -> Compared:
    """Hold one trial against its original."""
    differs: list[str] = []
    if before.status in MEASURED and now.status in MEASURED:
        differs = [*_figures(before.metrics, now.metrics), *_figures(before.cut, now.cut, "right after the cut, ")]
        differs += _examples(before, now)
    weights = before.fingerprint == now.fingerprint if before.fingerprint and now.fingerprint else None
    differs += ["weights or outputs"] if weights is False else []
    same = before.status == now.status and not differs
    status = (before.status, now.status)
    return Compared(arm=before.arm, seed=before.seed, same=same, status=status, differs=differs, weights=weights)


def verdict_of(
    trials: Sequence[Compared], arm: str, *, by_status: bool, interval: Interval | None, now: float | None
) -> Verdict:
    """The verdict on a row.

    Args:
        trials: all that were run again, the baseline's too.
        arm: the row's own.
        by_status: whether the reported verdict is one about how trials end: structural, no-op.
        interval: as reported.
        now: the figure that came out.
    """
    ends = all(one.status[0] == one.status[1] for one in trials)
    if not trials or not ends:
        return "not reproduced"
    if all(one.same for one in trials) and any(one.arm == arm and one.status[0] in MEASURED for one in trials):
        return "to the bit"
    if by_status:
        return "the same status"
    inside = interval is not None and now is not None and interval[0] <= now <= interval[1]
    return "within its interval" if inside else "not reproduced"


def _figures(before: Metrics, now: Metrics, when: str = "") -> list[str]:
    names = [(split, name) for split in {**before, **now} for name in {**before.get(split, {}), **now.get(split, {})}]
    pairs = [
        (when, split, name, before.get(split, {}).get(name), now.get(split, {}).get(name)) for split, name in names
    ]
    return [
        f"{when}{name} on {split} {_shown(a)} → {_shown(b)}" for when, split, name, a, b in pairs if repr(a) != repr(b)
    ]


def _examples(before: Told, now: Told) -> list[str]:
    found: list[str] = []
    for split in {**before.examples, **now.examples}:
        old, new = before.examples.get(split, {}), now.examples.get(split, {})
        names = [name for name in {**old, **new} if old.get(name) != new.get(name)]
        found += [f"values of {name} by example on {split}" for name in names[:SHOWN]]
    seen = [(split, before.seen[split], now.seen.get(split)) for split in before.seen]
    return found + [
        f"examples seen on {split} {old.examples} → {new.examples if new else 'all'}"
        for split, old, new in seen
        if old != new
    ]


def _shown(value: float | None) -> str:
    return "none" if value is None else repr(value)
