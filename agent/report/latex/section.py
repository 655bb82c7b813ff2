"""The section for a paper: prose, or a draft in its place, the statistics in a paragraph, and one table a mode."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import SimpleNamespace

from ....prompts import render
from ...results import Effect, Mode, Results
from .. import numbers, selection
from ..text import markdown, plain, prepared
from ..view import mode_view
from .escaping import latex, symbols
from .floats import joint_table, main_table
from .markup import from_markdown
from .readied import readied

_PRINTED = ("number", "exact", "interval", "with_interval", "p_value", "probability", "percent", "duration", "count")

_CODE = re.compile(r"(?<![\\`])(?P<ticks>`+)(?!`) ?(?P<name>.+?) ?(?<!`)(?P=ticks)(?!`)")
_TOUCHING = re.compile(r"(?<!\\)\$\$")
"""One formula's end and the next one's start."""


@dataclass(frozen=True)
class Section:
    """The section, and the keys of the works that it cites, in the order in which they appear."""

    text: str
    cited: tuple[str, ...]


def section(results: Results, prose: str | None = None) -> str:
    """The section alone.

    Args:
        results: what was found; an unfinished study is told as such.
        prose: Markdown whose texts are escaped, in the place of the sentences that are made from the verdicts.
    """
    return written(results, prose).text


def written(results: Results, prose: str | None = None) -> Section:
    """The section with its citations."""
    safe, cited = readied(results), list[str]()

    def cite(*keys: str) -> str:
        cited.extend(key for key in keys if key not in cited)
        return rf"~\cite{{{','.join(keys)}}}"

    modes = selection.modes(safe)
    text = render(
        "report/latex/section.j2",
        results=safe,
        study=safe.study,
        views=[mode_view(safe, mode) for mode in modes],
        mains={mode: main_table(safe, mode) for mode in modes},
        further={mode: _by_metric(selection.further(safe, mode)) for mode in modes},
        together={mode: joint_table(safe, mode) for mode in modes},
        methods={mode: safe.study.method if mode == _first_over_runs(modes) else "" for mode in modes},
        prose=None if prose is None else from_markdown(_in_one_font(prose, results)).strip(),
        num=_printed(),
        name=selection.name,
        cite=cite,
    )
    return Section(_tidied(symbols(text)), tuple(cited))


def _first_over_runs(modes: Sequence[Mode]) -> Mode | None:
    """The mode that `StudyInfo.method` and `bartlett_p` speak of."""
    return next((mode for mode in modes if mode != "reevaluate"), None)


def _by_metric(effects: Sequence[Effect]) -> dict[str, list[Effect]]:
    return {metric: [e for e in effects if e.metric == metric] for metric in dict.fromkeys(e.metric for e in effects)}


def _printed() -> SimpleNamespace:
    """Numbers as `numbers` prints them, as LaTeX."""
    return SimpleNamespace(**{name: _as_latex(name) for name in _PRINTED})


def _as_latex(name: str) -> Callable[..., str]:
    printed: Callable[..., str] = getattr(numbers, name)
    return lambda *values, **how: latex(printed(*values, **how))


def _in_one_font(prose: str, results: Results) -> str:
    """A draft in which names that hold a number are no code any more: in it those without one are none either."""
    found = prepared(results, plain)
    names = {label.replace("|", "¦") for each in (*found.effects, *found.interactions) for label in each.labels}
    names |= {metric for metrics in found.baseline.values() for metric in metrics}
    return _CODE.sub(lambda code: markdown(code["name"]) if code["name"] in names else code[0], prose)


def _tidied(text: str) -> str:
    """Formulas in one where they touch, lines without blanks at their ends, no more than one empty line at a time."""
    text = _TOUCHING.sub("", text)
    return re.sub(r"\n{3,}", "\n\n", re.sub(r"[ \t]+$", "", text, flags=re.MULTILINE)).strip() + "\n"
