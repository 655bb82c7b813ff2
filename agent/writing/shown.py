"""Drafts as they stand now: filled from the present results, without the sentences that these do not bear out."""

from collections.abc import Sequence

from ..prose.facts import Facts
from ..records.drafts import Draft, Drafted, LeftOut
from ..results import Results
from .byrules import RULES, words_of_rules
from .held import filled_text, problems_of, without


def with_drafts(results: Results, drafts: Sequence[Draft]) -> Results:
    """The results with every draft that still says something."""
    if not drafts:
        return results
    facts = Facts(results)
    return results.model_copy(update={"drafts": [shown(one, facts) for one in drafts]})


def shown(draft: Draft, facts: Facts) -> Drafted:
    """One draft, filled; what results have overtaken since it was written is left out with the reason."""
    told = {"style": draft.style, "by": draft.by, "question": draft.question, "wanted": draft.wanted}
    if draft.by == RULES:
        text = words_of_rules(facts.results, draft.style, draft.question or "")
        return Drafted.model_validate({**told, "text": text, "written": draft.written})
    problems = problems_of(draft.paragraphs, facts)
    overtaken = [
        LeftOut(sentence=draft.paragraphs[at.paragraph][at.sentence], reason="; ".join(why))
        for at, why in problems.items()
    ]
    kept = without(draft.paragraphs, list(problems))
    return Drafted.model_validate(
        {
            **told,
            "text": filled_text(kept, facts),
            "template": "\n\n".join(" ".join(sentences) for sentences in kept),
            "left_out": [*draft.left_out, *overtaken],
            "written": draft.written,
        }
    )
