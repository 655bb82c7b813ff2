"""One HTML file with everything in it: words, tables, drawings, and the results themselves as JSON."""

import base64
import hashlib
from collections.abc import Mapping
from html import escape

from ....prompts import render
from ...results import Results
from ..document import document
from ..figures import Images, figures
from ..text import plain
from .words import Page, words

_UNSAFE = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
"""What could end a script element, or a line of one; in JSON it only ever stands inside of strings."""


def html_report(results: Results, drawn: Mapping[str, Images] | None = None) -> str:
    """The whole report as one page that fetches nothing.

    Args:
        results: what was found; an unfinished study is reported as such.
        drawn: its figures, where they are drawn already.
    """
    drawn = figures(results, ("svg",)) if drawn is None else drawn
    page = Page(document(results, drawn.keys()), {name: images["svg"] for name, images in drawn.items()})
    main = words(page)
    script = render("report/html/page.js.j2").strip()
    return render(
        "report/html/page.j2",
        study={key: _shown(value) for key, value in results.study.model_dump().items()},
        version=escape(plain(str(results.environment.get("lesion", "")))),
        main=main,
        contents=[heading for heading in page.contents if heading.level == 2],
        style=render("report/html/page.css.j2").strip(),
        script=script,
        digest=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        results=embedded_json(results),
    )


def embedded_json(results: Results) -> str:
    """The results as JSON that nothing inside can end: read back, it is the very same."""
    text = results.model_dump_json()
    for character, written in _UNSAFE.items():
        text = text.replace(character, written)
    return text


def _shown(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(_shown(each) for each in value)
    return escape(plain(str(value)))
