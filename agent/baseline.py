"""Whether a baseline can be compared with at all, and what its noise allows: settled before anything is removed."""

import json
from collections.abc import Sequence

from .. import prompts
from ..executor.errors import ExperimentError
from ..executor.outcomes import Outcome
from .evidence import Evidence
from .ledger import Ledger
from .noisefloor import at_floor, noise_floor
from .results import BaselineMetric
from .survey import failure

SEEDED_AGAIN = {
    "python": "let train use its seed: something there, or in build_model, sets a seed of its own",
    "command": 'give its seed as {seed} in the command, or set [experiment] seeding = "everything": it seeds itself again',
}


def require_baseline(evidence: Evidence, ledger: Ledger, seeds: Sequence[int]) -> None:
    """Raises `ExperimentError` for a baseline that fails, ignores its seed, or is at chance."""
    require_runs(evidence, ledger, seeds)
    spec = evidence.spec
    noise = noise_floor(evidence, spec.primary)
    if noise and (problem := _too_blunt(spec.primary, noise)):
        what, to_do = problem
        raise ExperimentError(what, where=str(spec.entry_file or spec.path), to_do=to_do)


def require_runs(evidence: Evidence, ledger: Ledger, seeds: Sequence[int]) -> None:
    """Raises `ExperimentError` for a baseline that fails or ignores its seed."""
    baseline, spec = evidence.baseline, evidence.spec
    if len(baseline.measured) < min(2, len(seeds)) or not baseline.measured:
        row = baseline.failed[0]
        outcome = Outcome(status=row.status, message=row.reason, traceback=ledger.traceback(row.key))  # type: ignore[arg-type]
        raise failure(spec, outcome, f"{len(baseline.failed)} of {len(seeds)} baseline runs failed")
    prints = {(one.fingerprint, json.dumps(one.metrics)) for one in baseline.measured}
    if evidence.mode == "retrain" and len(prints) == 1 and len(baseline.measured) > 1:
        raise ExperimentError(
            f"{len(baseline.measured)} baseline seeds gave results that are equal bit for bit, so there is no noise to compare with",
            where=str(spec.entry_file or spec.path),
            to_do=SEEDED_AGAIN["command" if spec.experiment.command else "python"],
        )


def _too_blunt(metric: str, noise: BaselineMetric) -> tuple[str, str] | None:
    """Why nothing can be told with this baseline, and what to do."""
    if noise.unit == "seed" and noise.n > 1 and noise.sd <= 1e-12 * abs(noise.mean):
        return (
            f"{metric} is {noise.mean:.6g} in each of {noise.n} baseline runs, though their weights differ: without noise to "
            "measure, no difference can be judged",
            "take a finer metric (a loss, a larger evaluation set), or more seeds",
        )
    if noise.floor is None:
        return None
    stands = f"the baseline's {metric} is {noise.mean:.4g} (σ {noise.sd:.2g})"
    to_do = "train the baseline to something better than chance, steady its seeds, or correct metrics.floor"
    if at_floor(noise):
        return f"{stands}, within noise of its floor {noise.floor:.4g}: a loss could not be told from noise", to_do
    if abs(noise.mean - noise.floor) < noise.smallest_effect:
        return (
            f"{stands}, its floor {noise.floor:.4g}: less than δ = {noise.smallest_effect:.3g} can be lost at all",
            to_do,
        )
    return None


def noise_lines(evidence: Evidence) -> list[str]:
    """What the noise allows, for people: printed before any ablation runs."""
    noise = noise_floor(evidence, evidence.spec.primary)
    assert noise is not None
    study = evidence.spec.study
    text = prompts.render(
        "progress/noise.j2", noise=noise, metric=evidence.spec.primary, study=study, looks=evidence.looks
    )
    return text.strip().splitlines()
