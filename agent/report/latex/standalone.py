"""The folder for a paper: section, appendix, a document that compiles both, the bibliography and the figures."""

from collections.abc import Mapping
from datetime import datetime

from ....prompts import render
from ...results import Results
from ..canvas import Kind
from ..document import document
from .escaping import symbols, tex
from .markup import Markup
from .pdf import compiled
from .section import written

Files = dict[str, bytes]


def latex_files(results: Results, figures: Mapping[str, Mapping[Kind, bytes]], prose: str | None = None) -> Files:
    """Contents by path below the folder; everything is named where `main.tex` looks for it.

    Args:
        results: what was found.
        figures: images by name and kind; those that there are as PDF are included in the appendix.
        prose: in the place of the section's own, as in `section`.
    """
    pictures = {f"figures/{name}.pdf": images["pdf"] for name, images in figures.items() if "pdf" in images}
    section = written(results, prose)
    texts = {
        "ablation.tex": section.text,
        "appendix.tex": appendix(results, {path[8:-4]: path for path in pictures}),
        "main.tex": render("report/latex/main.j2", study=_study(results), date=_date(results)),
        "references.bib": bibliography("bib", section.cited, results),
        "main.bbl": bibliography("bbl", section.cited, results),
    }
    return {name: text.encode("ascii") for name, text in texts.items()} | pictures


def pdf_report(results: Results, figures: Mapping[str, Mapping[Kind, bytes]]) -> bytes:
    """The document, compiled.

    Raises:
        ReportError: there is no TeX on this machine, or it fails.
    """
    files = latex_files(results, figures, draft_of(results))
    return compiled(files, int(datetime.fromisoformat(results.study.generated).timestamp()))


def draft_of(results: Results) -> str | None:
    """The last draft that is a section of a paper: it stands in the place of the prose that is made from the verdicts."""
    texts = [draft.text for draft in results.drafts if draft.style != "rebuttal" and draft.text]
    return texts[-1] if texts else None


def appendix(results: Results, figures: Mapping[str, str]) -> str:
    """The whole report behind the section, but for the draft that is the section; figures are files by name."""
    rebuttals = [one for one in results.drafts if one.style == "rebuttal"]
    told = Markup(document(results.model_copy(update={"drafts": rebuttals}), figures.keys()), figures).whole()
    return symbols(render("report/latex/appendix.j2", text=told))


def bibliography(kind: str, keys: tuple[str, ...], results: Results) -> str:
    """The cited works as `bib`, for BibTeX, or as `bbl`, as it would come out of BibTeX."""
    return render(
        f"report/latex/{kind}.j2",
        keys=sorted(keys),
        version=_version(results),
        year=results.study.generated[:4],
        authors=_authors,
    )


def _authors(names: str) -> str:
    """`Last, First and Last, First` as they are read."""
    people = [" ".join(reversed(name.split(", "))) for name in names.split(" and ")]
    return " and ".join(people)


def _study(results: Results) -> dict[str, str]:
    return {"name": tex(results.study.name), "version": _version(results)}


def _version(results: Results) -> str:
    """Of the program that measured, as far as it is known."""
    return tex(str(results.environment.get("lesion", "")))


def _date(results: Results) -> str:
    return f"{datetime.fromisoformat(results.study.generated):%d %B %Y}".lstrip("0")
