"""Claims of the study that nothing has settled yet: what tests them goes first."""

from collections.abc import Container, Sequence

from ...claimtests import claims_tested
from ..plan import Ablation
from ..planner import Learnt


def open_claims(claims: Sequence[str], learnt: Learnt) -> dict[str, str]:
    """Id → text of the claims that the results neither support nor contradict."""
    minimized = any(one.goal == "minimize" for one in learnt.noise.values())
    tested = claims_tested(claims, learnt.plans, learnt.effects, [], -1 if minimized else 1)
    return {one.id: one.text for one in tested if one.status == "untested"}


def tests_open_claim(ablation: Ablation, open_ones: Container[str]) -> bool:
    """Whether an ablation tests one of these."""
    return any(one.claim in open_ones for one in ablation.claims)
