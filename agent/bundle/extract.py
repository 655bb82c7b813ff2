"""What the ledger holds, in forms that a bundle carries: trials, plans, and what the reported figures rest on."""

import hashlib
import os
from base64 import b64decode
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from ...executor.outcomes import Packed as Column
from ..arms import MEASURED
from ..collect import collect, gather
from ..ledger import Ledger, TrialRow
from ..planning.plan import sealed_plans
from ..reading.digest.secrets import known_secrets, redacted
from ..records.bundle import Told
from ..results import Results
from ..rounds import caps_of
from ..spec import StudySpec
from ..stopping import rule_of

Columns = Mapping[str, Mapping[str, Column]]


def told(row: TrialRow, ledger: Ledger) -> Told:
    """One trial as the extract has it."""
    facts = row.facts
    return Told(
        arm=row.arm,
        mode=row.mode,  # type: ignore[arg-type]
        seed=row.seed,
        key=row.key,
        status=row.status,
        reason=redacted(row.reason, known_secrets(os.environ))[0] if row.reason else None,
        metrics=row.metrics,
        cut=facts.cut,
        own=facts.own,
        scored_by=facts.scored_by,
        fingerprint=row.fingerprint,
        examples=hashes(ledger.examples(row.key)) if row.status in MEASURED else {},
        parts=sorted(ledger.parts(row.key)) if row.status in MEASURED else [],
        seen=facts.seen,
        family=facts.family,
        seconds=row.wall_seconds,
        peak_memory=row.peak_memory,
    )


def hashes(examples: Columns) -> dict[str, dict[str, str]]:
    """Split → column → sha256 of its values."""
    return {
        split: {name: hashlib.sha256(b64decode(one.data)).hexdigest() for name, one in columns.items()}
        for split, columns in examples.items()
    }


def reported(spec: StudySpec, ledger: Ledger, version: str) -> Results:
    """The results as `lesion report` gives them, dated by the last trial: the same ledger gives the same bundle."""
    results = collect(spec, ledger)
    last = datetime.fromtimestamp(ledger.last_finished(version) or 0, UTC)
    study = results.study.model_copy(update={"generated": last.isoformat(timespec="seconds")})
    return results.model_copy(update={"study": study})


def caps(spec: StudySpec, ledger: Ledger, rows: Sequence[TrialRow]) -> dict[str, dict[str, int]]:
    """Mode → ablation → how many of the first seeds its figures rest on."""
    found: dict[str, dict[str, int]] = {}
    for mode in spec.study.modes:
        evidence = gather(spec, ledger, rows, mode)
        if evidence.baseline.measured:
            found[mode] = {name: cap for plan in evidence.plans for name, cap in caps_of(evidence, plan).items()}
    return found


def deltas(spec: StudySpec, ledger: Ledger, rows: Sequence[TrialRow]) -> dict[str, dict[str, dict[str, float]]]:
    """δ of the rule that ends evaluations early, by trained model, split and metric; empty where nothing ran under it."""
    if not any(row.facts.seen for row in rows):
        return {}
    evidence = gather(spec, ledger, rows, "reevaluate").looked_at
    return {str(seed): rule_of(evidence.at(seed))["deltas"] for seed in evidence.seeds_at_hand}


def plans_of(ledger: Ledger, version: str) -> list[tuple[str, str, str]]:
    """(file, hash, YAML) of every sealed plan."""
    documents = ledger.plans(version)
    plans = sealed_plans(documents)
    return [
        (f"plans/round-{number}.yaml", digest, plan.as_yaml())
        for (number, digest, _), plan in zip(documents, plans, strict=True)
    ]
