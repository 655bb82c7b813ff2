"""The words that make a claim about a removal, each with what it claims of a part that is removed and of one that is there."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from .verdicts import NEGATED, Claim

Turn = Literal["up", "down"]
"""The metric goes up, or down: what that claims depends on its goal."""


@dataclass(frozen=True)
class Phrase:
    """One way to say something."""

    pattern: str
    removed: Claim | Turn
    """What it claims where its subject is a removal."""
    present: Claim | Turn
    """What it claims of the removal where its subject is the part itself, as it works in the model."""


def _same(pattern: str, claim: Claim | Turn) -> Phrase:
    return Phrase(pattern, claim, claim)


_STRENGTH = r"(?:(?:statistically|practically|clearly|really|at all|very|highly|particularly|especially) )?"
_ANY = r"(?:any |a |an |the |real |true |overall |net )?"
_EFFECT = r"(?:effects?|impacts?|influence|difference|changes?|consequences?|costs?|loss(?:es)?|drops?|degradation|harm|improvements?|gains?|benefits?|penalty|contribution)"
_SHOWN = r"(?:(?:statistically )?significant|measurable|detectable|discernible|reliable|demonstrable|noticeable)"
PHRASES = (
    _same(rf"(?:no|without|lacks?(?: any)?|not? (?:have|has|make|show|produce|cause)s?(?: any| a)?|n['’]t (?:have|make|show|produce|cause)(?: any| a)?) (?:statistically )?{_SHOWN} {_EFFECT}", "not significant"),
    _same(r"(?:not|n['’]t|never) (?:(?:differ|change|affect|alter|reach|be|was|is|were|are|move)\w* )?(?:the \w+ |from \w+ |\w+ )?(?:statistically )?significant(?:ly|ce)?|(?:fail\w*|did not|does not|do not) (?:to )?reach significance|non-?significant(?:ly)?|(?:statistically )?indistinguishable(?: from (?:noise|zero|the baseline))?|(?:could|can|cannot|can) ?(?:not )?be (?:told|distinguished) (?:apart )?from (?:noise|zero|chance|the baseline)|(?:drowns?|lost) in (?:the )?noise", "not significant"),
    _same(rf"(?:ha(?:s|ve|d)|with|shows?|makes?|made|of|at|for|is|are|was|were|there (?:is|was)|comes? at|leads? to|causes?|caused|produces?|reveals?|without|yields?) (?:absolutely |virtually |essentially |practically |almost |next to )?(?:no|zero|any) (?:\w+ )?{_EFFECT}(?! (?:beyond|larger than|above|of more than|exceed))|without (?:any )?{_EFFECT}(?! (?:beyond|larger than|above|of more than|exceed))|(?:cost|change|contribute|do|add|los|mean|matter)\w* (?:absolutely |virtually |almost |next to )?nothing|(?<!\w)no {_EFFECT}(?! (?:beyond|larger than|above|of more than|exceed))|(?:for|cost-) ?free|zero[- ]cost|makes? no odds|vanish(?:es|ed)?|disappear(?:s|ed)?|rul(?:e|es|ed|ing) out (?:an?|any) (?:\w+ )?effect", "nothing"),
    _same(r"masked|leaves? the outputs? (?:bitwise )?unchanged|outputs? (?:were|was|are|is|remain(?:s|ed)?|stays?|did) (?:bitwise |bit for bit )?(?:unchanged|not change)", "masked"),
    _same(r"unaffected|unchanged|the same as before|stays? the same|remains? the same|leaves? (?:\S+ ){0,3}(?:intact|untouched|alone)|un?impaired|inert|inconsequential|irrelevant|(?:do|does|did)(?: not|n['’]t) (?:affect|change|alter|influence|move|impact)|ineffective|neutral|immaterial|no role|plays? no", "nothing"),
    _same(r"within (?:\\?±|\+/-|plus or minus|the|a band of) ?δ|within δ|(?:below|under|smaller than|less than|inside|not exceed(?:ing)?|not (?:more|larger) than|at most) (?:the )?(?:±\s?)?(?:δ|smallest effect(?: of interest)?|equivalence (?:bound|margin|band))|within (?:the )?(?:equivalence|smallest)[\w ]{0,20}|within (?:±\s?)?\d?\.\d+ of (?:the )?(?:baseline|full model)", "within δ"),
    _same(r"(?:no|not|n['’]t) (?:\w+ )?(?:more than|exceed(?:s|ing)?|beyond|larger than|above) (?:the )?(?:δ|smallest effect(?: of interest)?)", "within δ"),
    _same(r"(?:more than|exceed(?:s|ed|ing)?|beyond|larger than|above|greater than|over|outside|surpass\w*) (?:of )?(?:±\s?)?(?:the )?(?:±\s?)?(?:δ|smallest effect(?: of interest)?|equivalence (?:bound|margin|band))", "beyond δ"),
    _same(r"(?:shown (?:to be )?|practically |statistically )?(?:negligibl[ey]|equivalent(?! to chance)|equivalence (?:was|is) shown)|practically (?:irrelevant|zero)", "negligible"),
    _same(r"non-?negligibl[ey]|not negligible|far from negligible", "not negligible"),
    _same(r"(?:barely|hardly|scarcely|rarely|seldom|never really) (?:matters?|mattered|important|needed|necessary|notices?|noticed|used|relevant|noticeable)|(?:of|has|have|with) (?:little|minor|low|no|negligible|limited) (?:importance|relevance|consequence|significance)|play(?:s|ed)? an? (?:\w+ly )?(?:negligible|minor|small|marginal|limited|insignificant|secondary|peripheral|subordinate|tiny|modest) (?:role|part)|insignificant(?:ly)?|unimportant|trivial|does not matter|do not matter|did not matter|n['’]t matter|of no importance|not important|minor importance|peripheral", "unimportant"),
    _same(r"dispensable|unnecessary|superfluous|useless|expendable|not needed|n['’]t needed|need(?:s|ed)? not|not (?:necessary|required|essential)|no longer needed|optional|dead weight|can (?:safely )?(?:be )?(?:removed|dropped|pruned|go|cut|omitted|left out|discarded)|(?:should|ought to|(?:is|are) best) (?:therefore |be )?(?:be )?(?:removed|dropped|pruned|cut|omitted|left out|discarded|disabled)|safe(?:ly)? (?:to )?(?:remove|drop|prune|cut|removable|removed|dropped|pruned)|(?:could|may|might) (?:safely )?be (?:removed|dropped|pruned|omitted|left out|cut)|prunable|do(?:es)? without|redundant(?! (?:with|to|pair|partner))|harmless|tolerates?|holds? up|(?:works?|perform\w*|fares?|does|do) (?:equally|just as|as|fine|perfectly) ?(?:well|good|fine)?|copes?(?: well)?|surviv\w+|gets? by|manages? without|just as good|(?:returns?|comes? back|is back) to (?:its |the )?baseline|as (?:good|high|low) as (?:the )?baseline|match(?:es|ed) the (?:baseline|full model)|robust to|insensitive to", "dispensable"),
    _same(r"indispensable|essential|crucial(?:ly)?|critical(?:ly)?|vital(?:ly)?|important(?:ly)?|necessary|needed|required|integral|matter(?:s|ed)?(?= |$|[^\w])|relies(?: heavily| strongly| mostly)? (?:up)?on|rel(?:y|ied)(?: heavily| strongly)? (?:up)?on|depends?(?: heavily| strongly)? (?:up)?on|need(?:s|ed)?|requires?|key (?:component|ingredient|part|role|driver|to)|is key|are key|central|load-bearing|pivotal|play(?:s|ed)? an? (?:\w+ly )?(?:important|key|central|crucial|critical|major|vital|decisive|significant|essential|large|big|dominant|prominent|substantial|leading|pivotal) role|earns? (?:its|their) keep|cannot do without|bottleneck|decisive|fundamental", "important"),
    _same(r"undecided|inconclusive|unresolved|unsettled|open(?: question)?(?=$|[ .,;:)]*$| in | after | with )|(?:could|can|did|was|were|has|have)(?:not| not|n['’]t) (?:yet )?(?:be(?:en)? )?(?:settled|decided|resolved|told|shown|determine[d]?|established?|conclude[d]?)|not (?:yet )?(?:been )?(?:settled|decided|resolved|shown|established|determined|clear)|unclear|ambiguous|cannot (?:tell|say|conclude)|remains? (?:open|unclear|unknown)|too noisy|needs? more (?:seeds|runs|data)|would settle|insufficient evidence|not enough (?:evidence|seeds|runs)|interval (?:crosses|includes|contains|spans|covers) (?:zero|0|δ)|no verdict|no conclusion", "undecided"),
    _same(r"(?:size|magnitude)(?: of \w+)? (?:is|remains|stays) (?:uncertain|unclear|open)|of uncertain size|(?:whether|if) (?:it|this|that|the \w+) (?:exceeds|is larger than|goes beyond|is beyond|is above) δ (?:is|remains) (?:uncertain|open|unclear)", "size uncertain"),
    _same(r"structural(?:ly)?|(?:cannot|can not|can['’]t|could not|couldn['’]t) be (?:removed|ablated|taken out|bypassed|run|trained)|crash(?:es|ed|ing)?|stop(?:s|ped)? the (?:program|run|training|experiment)|(?:breaks|broke) the (?:program|code|model|run|forward pass|network)|fails? to (?:run|execute|train|compile)|shape (?:error|mismatch)|raises? an? (?:error|exception)|(?:program|code|run|script) (?:stops|fails|crashes|breaks)", "structural"),
    _same(r"no-?op|(?:intervention|removal|ablation|hook|edit) (?:did nothing|never fired|had nothing to|changed nothing|was never applied)|never fired|bitwise (?:equal|identical|unchanged)|(?:weights?|tensor) (?:was|were) (?:already|unchanged)|nothing was (?:learnt|learned|changed)", "no-op"),
    _same(r"untestable|(?:could|can)(?: not|not) be tested|not (?:be )?test(?:ed|able)|(?:seeds|runs|arms?) diverged|diverge[sd]?", "untestable"),
    _same(r"exploratory|post[- ]hoc|outside (?:of )?(?:the|any) (?:sealed )?famil(?:y|ies)|a follow-up", "exploratory"),
    _same(r"confirmatory|pre-?registered|sealed family|confirmed? (?:by|in) the (?:sealed|confirmatory)", "confirmatory"),
    _same(r"detected|(?:a|the) difference (?:was|is) (?:shown|detected|established)|detectabl[ey]|differs? from zero|nonzero|non-zero|(?:statistically )?significant(?:ly)?|reliabl[ey]|reaches significance", "significant"),
    _same(r"more than (?:(?:the|their|its|that) (?:\w+ )?sum|additive|additively|expected from (?:the )?singles?|the (?:two )?single)|super-?additive(?:ly)?|exceeds? the (?:sum|additive)|(?:above|beyond|larger than|greater than) (?:the sum|additive|what the sum)|worse than (?:the sum|additive)", "more than the sum"),
    _same(r"less than (?:(?:the|their|its|that) (?:\w+ )?sum|additive|additively)|sub-?additive(?:ly)?|(?:below|under|smaller than) (?:the sum|(?:the )?additive)|falls? short of the sum", "less than the sum"),
    _same(r"compensat(?:e|es|ed|ing|ion|ory)(?: for)?|back(?:s|ed|ing)? (?:each other|one another|it|up)(?: up)?|back-?ups?|hid(?:es?|den|ing)(?: behind| each| one)?|mask each other|substitut(?:es?|ing|able)|stand in for|redundant with|redundan(?:cy|t) (?:of|between|pair|partners?)|mutually redundant|cover for|tak(?:es?|ing) over|took over|fills? in for|makes? up for|interchangeable", "compensation"),
    _same(r"synerg(?:y|ies|istic|istically|ise|ize)|in series|work together|builds? (?:up)?on each other|complement(?:s|ary)?(?: each other)?|form a circuit|sequential(?:ly)?|chain", "synergy"),
    _same(r"(?:do|does|did)(?: not|n['’]t) interact|no interaction|non-?interacting|(?<!the )additive(?:ly)?(?! (?:prediction|expectation|loss|sum|value|estimate|effects?|model|one|\d))|independent(?:ly)?(?= of (?:each|one)|$|[.,;)]| (?:contributions?|effects?))|simply add up|(?:just |merely )?(?:add|sum)s? up(?! to)|act(?:s)? independently|(?:is|was|equals?|matches|amounts? to) the sum|orthogonal", "no interaction"),
    _same(r"interacts?(?: with)?|(?:an|strong|clear|positive|negative|genuine|shown) interaction|non-?additive", "interact"),
    _same(r"irreducible", "verdict irreducible"),
    _same(r"redundancy", "verdict redundancy"),
    _same(r"dramatic(?:ally)?|drastic(?:ally)?|massive(?:ly)?|enormous(?:ly)?|huge(?:ly)?|plummet(?:s|ed)?|vast(?:ly)?|overwhelming(?:ly)?|extreme(?:ly)?", "dramatic"),
    _same(r"catastroph\w+|collapse[sd]?(?: to chance)?|devastat\w+|destroy(?:s|ed|ing)?|wip(?:es?|ed) out|ruin(?:s|ed)?|cripples?|(?:at|to|near) (?:the )?(?:chance|floor)(?: level)?", "collapse"),
    _same(r"large|substantial(?:ly)?|considerabl[ey]|strong(?:ly)?|severe(?:ly)?|sharp(?:ly)?|sizeable|sizable|big|heav(?:y|ily)|pronounced|marked(?:ly)?|notabl[ey]|meaningful(?:ly)?|appreciabl[ey]|steep(?:ly)?|major|serious(?:ly)?|great(?:ly)?|clear loss|noticeabl[ey]|much of", "large"),
    _same(r"(?:barely|hardly|scarcely) (?:moves?|moved|changes?|affects?|matters?|differs?|drops?|falls?|budges?|suffers?|hurts?|costs?)", "small"),
    _same(r"small|slight(?:ly)?|minor|modest(?:ly)?|marginal(?:ly)?|tiny|little|minimal(?:ly)?|mild(?:ly)?|subtle|minuscule|limited|weak(?:ly)?", "small"),
    Phrase(r"hurt(?:s|ing)?|harm(?:s|ed|ful|ing)?|degrad(?:es?|ed|ing|ation)|worse(?:ns?|ned|ning)?|damag(?:es?|ed|ing)|impair(?:s|ed|ing)?|deteriorat\w+|detriment\w*|counter-?productive|undermines?|weaken(?:s|ed)?|at the expense of|holds? (?:\S+ )?back|bad for|under-?perform(?:s|ed|ing)?|sabotag\w+|inferior", "worse", "better"),
    Phrase(r"help(?:s|ed|ful|ing)?|improv(?:es?|ed|ing|ements?)|benefi(?:ts?|ted|cial|ting)|boost(?:s|ed|ing)?|better|contribut(?:es?|ed|ing|ions?)(?: to)?|useful|valuable|aids?|aided|enhanc(?:es?|ed|ing)|favou?rable|advantage(?:ous)?|good for|pays? off|worth (?:keeping|having|its)|outperform(?:s|ed|ing)?|superior|gain(?:s|ed)?|supports?|strengthens?|better off", "better", "worse"),
    Phrase(r"costs?|cost(?:ing|ly)|los(?:es?|ses|t|ing)|penalty|penalties|sacrific\w+|deficit|toll|suffer(?:s|ed|ing)?|at a price|pays? (?:a|the) price", "worse", "costs"),
    Phrase(r"lower(?:s|ed|ing)?|reduc(?:es?|ed|ing|tions?)|decreas(?:es?|ed|ing)|drop(?:s|ped)?(?! \ue010|ping| the \ue010)|fall(?:s|en|ing)?|fell|declin(?:es?|ed|ing)|shrinks?|down(?:ward)?|diminish(?:es|ed)?|go(?:es)? down|sinks?|sank|dips?|dipped|brings? down|cuts(?= \ue012| the \ue012)|slid(?:es?)?|dent(?:s|ed)?", "down", "up"),
    Phrase(r"rais(?:es?|ed|ing)|increas(?:es?|ed|ing)|ris(?:es?|en|ing)|rose|grow(?:s|n|th|ing)?|grew|climb(?:s|ed|ing)?|higher|go(?:es)? up|jump(?:s|ed)?|up(?= by| from)|lift(?:s|ed)?|pushes? up|inflates?", "up", "down"),
    _same(r"(?:changes?|changed|affects?|affected|alters?|altered|shifts?|shifted|impacts?|impacted|influences?|influenced|moves?|moved)(?= \ue012| the \ue012| results?| performance| the results?| the outcome)", "changed"),
)  # fmt: skip
_ALL = re.compile(
    "|".join(rf"(?P<p{at}>(?<![\w-])(?:{one.pattern})(?![\w]))" for at, one in enumerate(PHRASES)), re.IGNORECASE
)
_NEGATION = re.compile(
    r"(?:\bnot(?! only)|n['’]t|\bnever|\bneither|\bnor|\bno longer|\bfail(?:s|ed)? to|\bcannot|\bhardly|\bbarely|\bscarcely|\bfar from|\bnowhere near|\brather than|\binstead of"
    r"|\b(?:no|none)(?! (?:more|less) than)|\bwithout(?! any (?:further |additional )?(?:fine|re-?train|training|recovery))(?= (?:\w+ly )?$| a(?:ny)? )|\bneed not|\bwithout (?:an? |any )?(?:\w+ )?(?:loss|cost|drop|change|effect|difference)|\btoo (?:small|weak|little|minor|slight) to|\bstops? short of)\s+(?:[\w'’\ue012-]+\s+){0,3}$",
    re.IGNORECASE,
)


_NO_EVIDENCE = re.compile(
    r"\bno (?:evidence|sign|indication|support|reason to (?:believe|think)) (?:that|of|for)\s+(?:[\w'’-]+\s+|\ue010+\s+|\ue012+\s+){0,5}$",
    re.IGNORECASE,
)
_NEITHER = re.compile(r"\bneither\b[^.;]*\bnor\b[^.;]*$|\bnone of\b[^.;]*\ue010[^.;]*$", re.IGNORECASE)


@dataclass(frozen=True)
class Said:
    """One phrase of a clause."""

    start: int
    end: int
    text: str
    removed: Claim | Turn
    present: Claim | Turn
    negated: bool


@lru_cache(maxsize=8192)
def said(masked: str) -> tuple[Said, ...]:
    """Every phrase of a clause that makes a claim, in order."""
    return tuple(_said(masked))


def _said(masked: str) -> Iterator[Said]:
    for found in _ALL.finditer(masked):
        phrase = PHRASES[int((found.lastgroup or "p0")[1:])]
        before = masked[: found.start()]
        negated = (_NEGATION.search(before[-40:]) or _NEITHER.search(before) or _NO_EVIDENCE.search(before)) is not None
        yield Said(found.start(), found.end(), found[0], phrase.removed, phrase.present, negated)


def resolved(claim: Claim | Turn, *, maximise: bool, negated: bool) -> Claim:
    """The claim behind a word, once the metric's goal and a negation are known."""
    if claim in ("up", "down"):
        claim = "better" if (claim == "up") == maximise else "worse"
    return NEGATED.get(claim, claim) if negated else claim
