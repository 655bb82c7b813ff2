"""Every prompt and every report template: `render` fills one in, `phrases` hands out the words a template defines."""

from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined


def render(template: str, /, **values: object) -> str:
    """Fill in a template, named by its path below this folder, e.g. `report/summary.j2`.

    Raises:
        jinja2.TemplateNotFound: no template of that name.
        jinja2.UndefinedError: the template uses a value that was not given.
    """
    return _environment().get_template(template).render(**values)


def phrases(template: str, /) -> Any:
    """The macros and variables that a template defines, as attributes; macros are called like functions."""
    return _environment().get_template(template).module


@cache
def _environment() -> Environment:
    return Environment(  # templates render plain text, Markdown, prompts; escaping is the renderer's business
        loader=FunctionLoader(_source),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )


def _source(name: str) -> str | None:
    source = files(__name__).joinpath(*name.split("/"))
    return source.read_text(encoding="utf-8") if source.is_file() else None
