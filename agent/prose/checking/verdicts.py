"""What a word of judgement claims of a removal, and whether its verdict backs that: the table that the checker goes by.

Absence of evidence is never evidence of absence: `undecided` contradicts every claim of no effect. `negligible` backs what is said
within ±δ, and not "no effect". `structural`, `no-op` and `untestable` have no delta, and back no claim about one."""

from dataclasses import dataclass
from typing import Literal

from ...report import numbers, selection
from ...results import Effect, Interaction
from .finding import Outcome
from .ground import Found, Ground

Claim = Literal[
    "important", "unimportant", "dispensable", "nothing", "negligible", "not negligible", "significant", "not significant",
    "worse", "better", "not worse", "not better", "large", "not large", "dramatic", "collapse", "costs", "small", "undecided", "settled",
    "size uncertain", "structural", "not structural", "no-op", "not no-op", "untestable", "masked", "beyond δ", "within δ",
    "compensation", "interact", "no interaction", "synergy", "more than the sum", "less than the sum", "changed",
    "verdict matters", "verdict hurts", "verdict detected", "verdict redundancy", "verdict irreducible", "confirmatory", "exploratory",
]  # fmt: skip
_KEYS = (
    "matters",
    "hurts",
    "worse",
    "better",
    "nonzero",
    "negligible",
    "undecided",
    "structural",
    "no-op",
    "untestable",
)
_LETTERS: dict[str, Outcome] = {"b": "backed", "c": "contradicted", "u": "unbacked"}
_TABLE: dict[Claim, str] = {
    "important": "bcucccuucu",
    "unimportant": "ccccbbcccc",
    "dispensable": "cbcbbbcccc",
    "nothing": "cccccucccc",
    "negligible": "ccuubbcccc",
    "not negligible": "bbuuccuccc",
    "significant": "bbbbbccccc",
    "not significant": "cccccbbccc",
    "changed": "bbbbbnnccc",
    "worse": "bcbcncuccc",
    "better": "cbcbncuccc",
    "costs": "bbbbbccccc",
    "not worse": "cbcbbbcccc",
    "not better": "bcbcbbcccc",
    "large": "bbuuccuccc",
    "not large": "ccuubbuccc",
    "small": "ccuubbuccc",
    "undecided": "ccuuccbccc",
    "settled": "bbuubbcbbc",
    "size uncertain": "ccbbccuccc",
    "structural": "cccccccbcc",
    "not structural": "bbbbbbbcbb",
    "no-op": "ccccccccbc",
    "not no-op": "bbbbbbbbcb",
    "untestable": "cccccccccb",
    "beyond δ": "bbuuccuccc",
    "within δ": "ccuubbcccc",
    "verdict matters": "bccccccccc",
    "verdict hurts": "cbcccccccc",
    "verdict detected": "ccbbcccccc",
}
"""By what was concluded, in the order of `_KEYS`: b backed, c contradicted, u unbacked, n: backed where a number stands beside it."""
_HOLDS: dict[Claim, tuple[str, ...]] = {
    "compensation": ("compensation", "redundancy", "irreducible"),
    "interact": ("compensation", "redundancy", "irreducible", "synergy"),
    "more than the sum": ("compensation", "redundancy", "irreducible"),
    "less than the sum": ("synergy",),
    "synergy": ("synergy",),
    "no interaction": ("additive",),
    "undecided": ("undecided",),
    "untestable": ("untestable",),
    "verdict redundancy": ("redundancy",),
    "verdict irreducible": ("irreducible",),
}
NEGATED: dict[Claim, Claim] = {
    "important": "unimportant", "unimportant": "important", "dispensable": "important", "nothing": "significant",
    "negligible": "not negligible", "significant": "not significant", "worse": "not worse", "better": "not better",
    "large": "not large", "dramatic": "not large", "small": "large", "undecided": "settled", "structural": "not structural",
    "no-op": "not no-op", "beyond δ": "within δ", "within δ": "beyond δ", "compensation": "no interaction",
    "interact": "no interaction", "no interaction": "interact", "synergy": "no interaction", "changed": "nothing",
    "settled": "undecided", "more than the sum": "no interaction", "less than the sum": "no interaction",
    "verdict matters": "unimportant", "not significant": "significant", "not negligible": "negligible",
}  # fmt: skip
JOINT = frozenset(_HOLDS) - {"undecided", "untestable"}
"""Claims about two or more removals together."""
_DRAMATIC = 10
"""So many δ, and more, may be called dramatic."""


@dataclass(frozen=True)
class Judgement:
    """Whether results back a claim, and why not."""

    outcome: Outcome
    why: str
    found: Found | None = None


def key_of(ground: Ground, effect: Effect) -> str:
    """The verdict, with its direction where it needs one."""
    if effect.verdict == "detected":
        return "worse" if (ground.loss(effect) or 0) > 0 else "better"
    if effect.verdict == "negligible" and effect.nonzero:
        return "nonzero"
    return effect.verdict


def judged(ground: Ground, claim: Claim, found: Found, *, numbered: bool = False) -> Judgement:
    """Hold one claim against one finding; `numbered`: the estimate is printed beside it."""
    if isinstance(found, Interaction):
        return _of_joint(ground, claim, found, numbered=numbered)
    if claim in ("confirmatory", "exploratory"):
        role = found.role
        right = (role == "confirmatory") == (claim == "confirmatory")
        return Judgement("backed" if right else "contradicted", f"{selection.members(found)} is {role}", found)
    if claim == "masked":
        return Judgement("backed" if found.masked else "contradicted", told(ground, found), found)
    if claim == "nothing" and found.delta == 0 and found.interval == (0.0, 0.0):
        return Judgement("backed", told(ground, found), found)
    if claim == "dramatic":
        return _dramatic(ground, found)
    if claim == "collapse":
        return _collapse(ground, found)
    if claim not in _TABLE:
        return Judgement("unbacked", "this is about removals together", found)
    key = key_of(ground, found)
    letter = _TABLE[claim][_KEYS.index(key)]
    if letter == "n":
        letter = (
            "b"
            if numbered and claim == "changed"
            else "b"
            if numbered and ((ground.loss(found) or 0) > 0) == (claim == "worse")
            else "c"
        )
    if letter == "u" and claim in ("worse", "better") and numbered and key == "undecided":
        letter = "u" if ((ground.loss(found) or 0) > 0) == (claim == "worse") else "c"
    return Judgement(_LETTERS[letter], _why(ground, claim, key, found), found)


def told(ground: Ground, found: Found) -> str:
    """What the results say of a removal, in a line."""
    name = selection.name(found)
    if isinstance(found, Interaction):
        sizes = f"loss {numbers.with_interval(found.observed, found.observed_interval)}, sum of singles {numbers.number(found.additive, found.interval)}"
        return f"{name}: {found.verdict}" + (f", {sizes}" if found.observed is not None else "")
    if found.verdict in selection.UNMEASURED or found.delta is None:
        return f"{name}: {found.verdict}, no delta"
    several = f" ({found.mode})" if len(ground.modes) > 1 else ""
    metric = "" if found.metric == ground.primary else f" {found.metric}"
    return (
        f"{name}{several}: {found.verdict}, Δ{metric} {numbers.with_interval(found.delta, found.interval, signed=True)}"
    )


def _why(ground: Ground, claim: Claim, key: str, found: Effect) -> str:
    says = told(ground, found)
    if key == "undecided" and claim in (
        "nothing",
        "unimportant",
        "dispensable",
        "negligible",
        "not worse",
        "not better",
        "within δ",
    ):
        return f"{says}; absence of evidence is no evidence of absence"
    if key in ("nonzero", "negligible") and claim == "nothing":
        return f"{says}; what was shown is a change within ±δ"
    if key == "no-op":
        return f"{says}: the intervention did nothing, so nothing was learnt"
    return says


def _dramatic(ground: Ground, found: Effect) -> Judgement:
    ends, floor = ground.loss_interval(found), ground.floor(found)
    plain = judged(ground, "large", found)
    if plain.outcome != "backed" or ends is None or floor is None:
        return plain
    shown = min(abs(end) for end in ends) >= _DRAMATIC * floor.smallest_effect
    return Judgement("backed" if shown else "unbacked", f"{told(ground, found)}; under {_DRAMATIC} δ", found)


def _collapse(ground: Ground, found: Effect) -> Judgement:
    """Only what ends within 3σ of the metric's floor has collapsed."""
    floor = ground.floor(found)
    if found.ablated is None or found.verdict in selection.UNMEASURED or floor is None or floor.floor is None:
        return Judgement("unbacked", f"{told(ground, found)}; no floor is known that it would have reached", found)
    near = abs(found.ablated - floor.floor) <= 3 * max(floor.of_the_mean, 1e-12)
    return Judgement(
        "backed" if near else "contradicted",
        f"{told(ground, found)}; it ends at {numbers.number(found.ablated)}",
        found,
    )


def _of_joint(ground: Ground, claim: Claim, joint: Interaction, *, numbered: bool) -> Judgement:
    if claim == "within δ" and joint.verdict == "additive":
        return Judgement("backed", told(ground, joint), joint)
    if claim in _HOLDS:
        if joint.verdict in _HOLDS[claim]:
            return Judgement("backed", told(ground, joint), joint)
        open_ = joint.verdict in ("undecided", "untestable", "saturation-limited") and claim != "no interaction"
        return Judgement("unbacked" if open_ else "contradicted", told(ground, joint), joint)
    ends, floor = joint.observed_interval, ground.floor(joint)
    if ends is None or floor is None or claim not in ("important", "worse", "beyond δ", "significant", "large", "negligible", "within δ", "better", "dispensable", "nothing", "not negligible", "unimportant", "not worse", "dramatic", "changed"):  # fmt: skip
        return Judgement("unbacked", told(ground, joint), joint)
    delta = floor.smallest_effect
    beyond, little = ends[0] > delta, joint.negligible_together or (abs(ends[0]) < delta and abs(ends[1]) < delta)
    shown: dict[Claim, bool] = {
        "important": beyond, "worse": ends[0] > 0, "significant": ends[0] > 0 or ends[1] < 0, "beyond δ": beyond, "large": beyond,
        "better": ends[1] < 0, "not negligible": beyond, "dramatic": ends[0] > _DRAMATIC * delta,
    }  # fmt: skip
    if claim == "changed" and joint.observed is not None:
        return Judgement("backed" if numbered else "unbacked", told(ground, joint), joint)
    if claim in ("worse", "better") and numbered and joint.observed is not None:
        right = (joint.observed > 0) == (claim == "worse")
        return Judgement("backed" if right else "contradicted", told(ground, joint), joint)
    if claim in shown:
        against = (little or ends[1] < 0) if claim != "better" else ends[0] > 0
        return Judgement(
            "backed" if shown[claim] else "contradicted" if against else "unbacked", told(ground, joint), joint
        )
    if claim == "nothing":
        return Judgement("unbacked" if little else "contradicted", told(ground, joint), joint)
    return Judgement("backed" if little else "contradicted", told(ground, joint), joint)
