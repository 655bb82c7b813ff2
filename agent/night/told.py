"""What a study's last night is remembered by: for the report, and for `lesion status` in the morning."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from ...prompts import phrases, render
from ..firstline import first_line
from ..ledgerfile import holder
from ..records.night import NightTold
from ..report.text import clipped, plain
from ..results import Results
from .columns import wrapped
from .points import Told
from .records import Ended, Fate, last_evening, last_night
from .summary import COLUMNS, moment, summary
from .verdicts import changed, surprises

DIED = "the night died"
LONGEST = 300
"""Characters of a reason."""
REPORTS = ("report.html", "report.md")


def with_night(results: Results, state: Path, ended: Ended | None = None) -> Results:
    """The results with what became of the last night; unchanged where there was none.

    `ended`: how the night that runs is about to end, which is written down only after the report.
    """
    fate = last_night(state)
    if fate is None:
        return results
    if ended is not None:
        fate = fate.model_copy(update={"ended": ended, "died": False})
    return results.model_copy(update={"night": night_told(fate, results)})


def night_told(fate: Fate, results: Results | None) -> NightTold:
    """The record of it; without results no verdict is known to have changed."""
    launched, ended = fate.launched, fate.ended
    return NightTold(
        began=_iso(launched.began or launched.at),
        deadline=_iso(launched.deadline),
        ended=None if ended is None else _iso(ended.at),
        died=fate.died,
        pid=launched.pid,
        studies=max(1, len(launched.studies)),
        code=None if ended is None else ended.code,
        reason=None if ended is None else ended.reason,
        problems=[] if ended is None else ended.told,
        edited_from=None if results is None else _other(launched.before_version, results.study.version),
        split_from=None if results is None else _other(launched.before_split, results.study.split),
        changed=[] if results is None else changed(launched.before, results),
        surprises=[] if results is None else surprises(launched.before, results),
    )


def past_lines(state: Path, name: str, results: Results | None) -> list[str]:
    """The fate of the last night, and its summary for this study; nothing where there was none, or where it still runs.

    Args:
        state: the study's folder.
        name: the study's.
        results: None: nothing was measured.
    """
    fate, evening = last_night(state), last_evening(state)
    never = evening is not None and (fate is None or fate.launched.at < evening.at) and holder(state / "lock") is None
    lines = [phrases("night/phrases.j2").never_begun(moment(evening.at)).strip()] if evening and never else []
    if fate is None or (fate.ended is None and not fate.died):
        return lines
    return [*lines, *_fate_lines(fate), *summary([_told(fate, state, name, results)])]


def _fate_lines(fate: Fate) -> list[str]:
    reason = clipped(plain(first_line(fate.ended.reason)), LONGEST) if fate.ended else None
    text = render(
        "night/fate.j2",
        night=night_told(fate, None).model_copy(update={"reason": reason}),
        began=moment(fate.launched.at),
        deadline=moment(fate.launched.deadline),
        ended=moment(fate.ended.at) if fate.ended else None,
    )
    return [part for line in text.split("\n") if line for part in wrapped(line, COLUMNS, indent=2)]


def _told(fate: Fate, state: Path, name: str, results: Results | None) -> Told:
    before: Mapping[str, str] = fate.launched.before
    problems: Sequence[str] = fate.ended.told if fate.ended else ()
    written = [path for each in REPORTS if (path := state / "report" / each).exists()]
    return Told(
        name=name,
        results=results,
        reason=fate.ended.reason if fate.ended else DIED,
        complete=results is not None and results.study.complete,
        before=before,
        problems=problems,
        report=written[0] if written else None,
    )


def _other(before: str, now: str) -> str | None:
    """What it was, where that is known and differs."""
    return before if before and before != now else None


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at).astimezone().isoformat(timespec="minutes")
