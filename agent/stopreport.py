"""What people are told of removals that stop early, or do not, and what it came to."""

from collections.abc import Collection, Sequence
from statistics import fmean

from .. import prompts
from .analysis.stopping import SHARE
from .arms import MEASURED
from .evidence import Evidence
from .ledger import Ledger, TrialRow
from .planning.plan import BASELINE
from .records.stopping import EarlyStopping, Replay, Whole
from .spec import StudySpec
from .stoppable import why_whole

REMEMBERED = "whole"


def told_of_stopping(evidence: Evidence, offers: Collection[str], ledger: Ledger) -> list[str]:
    """Whether removals stop early, and why not where they do not: said once the baselines are known, and remembered."""
    whole, version = why_whole(evidence, offers), ledger.recall("version")
    ledger.remember(REMEMBERED, {"version": version, "whole": whole.model_dump() if whole else None})
    told = {"share": SHARE, "alpha": evidence.spec.study.alpha, "noted": False}
    return [prompts.render("progress/stopping.j2", whole=whole, **told).strip()]


def whole_notes(ledger: Ledger, version: str) -> list[str]:
    """Why nothing stopped early in this version of the source, for the report; nothing where removals may, or nobody asked."""
    kept = ledger.recall(REMEMBERED) or {}
    known = kept.get("whole") if kept.get("version") == version else None
    whole = Whole.model_validate(known) if known else None
    return [prompts.render("progress/stopping.j2", whole=whole, noted=True).strip()] if whole else []


def early_stopping(spec: StudySpec, rows: Sequence[TrialRow]) -> EarlyStopping | None:
    """What the rule has saved; None where no removal ran under it."""
    ruled = [row for row in rows if row.facts.seen and row.status in MEASURED]
    if not ruled:
        return None
    seen = [one for row in ruled for one in row.facts.seen.values()]
    return EarlyStopping(
        alpha=spec.study.alpha,
        share=SHARE,
        trials=len(ruled),
        stopped=sum(any(one.examples < one.of for one in row.facts.seen.values()) for row in ruled),
        evaluations=sum(one.examples for one in seen),
        of=sum(one.of for one in seen),
    )


def replay(rows: Sequence[TrialRow]) -> Replay | None:
    """What was not computed twice; None where nothing tells."""
    shares = [row.facts.replayed for row in rows if row.facts.replayed is not None and row.arm != BASELINE]
    held = [row.facts.held_memory for row in rows if row.facts.held_memory is not None]
    return Replay(trials=len(shares), share=fmean(shares), held_memory=max(held, default=None)) if shares else None
