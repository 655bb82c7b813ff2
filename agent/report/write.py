"""Writes a report to disk: a single file or a folder, whole or not at all."""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path

from ...executor.errors import ReportError
from ..results import Results
from ..writing.store import name_of
from .canvas import KINDS, Kind
from .csv import effects_csv, further_csv, interactions_csv
from .figures import Images, figures
from .html.page import html_report
from .latex.section import section
from .latex.standalone import draft_of, latex_files, pdf_report
from .markdown import markdown_report

Files = dict[str, bytes]
"""Contents by path below the report's folder."""
Drawn = Callable[[], dict[str, Images]]
"""The figures, drawn once however many formats show them."""


def write_report(results: Results, formats: Sequence[str], output: Path, kinds: Sequence[Kind] = KINDS) -> list[Path]:
    """Write the report in the given formats; returns the files written.

    One format and an output with a suffix make a file of that name (CSV puts joint removals, data sets, classes and
    factorials into files of their own beside it); anything else makes a folder with everything that belongs to the
    formats, figures included, in the given `kinds` of image (`svg` among them).

    Raises:
        ReportError: an unknown format, or a place that cannot be written; then no file was replaced.
    """
    chosen = _known(formats)
    single = len(chosen) == 1 and output.suffix != "" and not output.is_dir()
    contents = _single(results, chosen[0], output) if single else _folder(results, chosen, kinds)
    base = output.parent if single else output
    return _write_all({base / name: content for name, content in contents.items()}, output)


def keep_report(results: Results, state: Path) -> list[Path]:
    """The report that lies in a state folder, written anew after every round: formats and figures that cost little.

    Returns the files written; raises as `write_report` does.
    """
    return write_report(results, ["md", "json", "csv", "html"], state / "report", ("svg", "png"))


def _known(formats: Sequence[str]) -> list[str]:
    unknown = [each for each in formats if each not in _FORMATS]
    known = ", ".join(_FORMATS)
    if unknown:
        raise ReportError(f"unknown report format: {', '.join(unknown)}", to_do=f"use one of: {known}")
    if not formats:
        raise ReportError("no report format was given", to_do=f"use one or more of: {known}")
    return list(dict.fromkeys(formats))


def _single(results: Results, chosen: str, output: Path) -> Files:
    if chosen == "md":
        return {output.name: markdown_report(results).encode()}
    if chosen == "tex":
        return {output.name: section(results, draft_of(results)).encode()}
    if chosen == "pdf":
        return {output.name: pdf_report(results, figures(results, ("pdf",)))}
    if chosen == "html":
        return {output.name: html_report(results).encode()}
    if chosen == "json":
        return {output.name: _json(results)}
    files = {output.name: effects_csv(results).encode()}
    if results.interactions:
        files[f"{output.stem}-interactions{output.suffix}"] = interactions_csv(results).encode()
    return files | {
        f"{output.stem}-{name}{output.suffix}": text.encode() for name, text in further_csv(results).items()
    }


def _folder(results: Results, chosen: Sequence[str], kinds: Sequence[Kind]) -> Files:
    files: Files = {}
    needed = {kind for each in chosen for kind in (kinds if each == "md" else _IMAGES.get(each, ()))}
    drawn = cache(lambda: figures(results, [kind for kind in KINDS if kind in needed]))
    for each in chosen:
        files |= _FORMATS[each](results, drawn)
    return files


def _markdown_files(results: Results, drawn: Drawn) -> Files:
    shown = drawn()
    files = {f"figures/{name}.{kind}": image for name, images in shown.items() for kind, image in images.items()}
    return {"report.md": markdown_report(results, shown.keys()).encode(), **files, **_draft_files(results)}


def _draft_files(results: Results) -> Files:
    """Each draft with its values, and with its references where it has any."""
    files: Files = {}
    for draft in results.drafts:
        files[f"drafts/{name_of(draft)}.md"] = f"{draft.text}\n".encode()
        if draft.template:
            files[f"drafts/{name_of(draft)}.template.md"] = f"{draft.template}\n".encode()
    return files


def _html_files(results: Results, drawn: Drawn) -> Files:
    return {"report.html": html_report(results, drawn()).encode()}


def _csv_files(results: Results, _drawn: Drawn) -> Files:
    files = {"effects.csv": effects_csv(results).encode()}
    files |= {f"{name}.csv": text.encode() for name, text in further_csv(results).items()}
    return {**files, "interactions.csv": interactions_csv(results).encode()} if results.interactions else files


def _json_files(results: Results, _drawn: Drawn) -> Files:
    return {"report.json": _json(results)}


def _json(results: Results) -> bytes:
    return (results.model_dump_json(indent=2) + "\n").encode()


def _latex_files(results: Results, drawn: Drawn) -> Files:
    return latex_files(results, drawn(), draft_of(results))


def _pdf_files(results: Results, drawn: Drawn) -> Files:
    return {"report.pdf": pdf_report(results, drawn())}


_FORMATS: dict[str, Callable[[Results, Drawn], Files]] = {
    "md": _markdown_files,
    "json": _json_files,
    "csv": _csv_files,
    "tex": _latex_files,
    "pdf": _pdf_files,
    "html": _html_files,
}


_IMAGES: dict[str, tuple[Kind, ...]] = {"html": ("svg",), "tex": ("pdf",), "pdf": ("pdf",)}
"""Formats whose images are of one kind; Markdown has all that are asked for beside it."""


def _write_all(files: Mapping[Path, bytes], output: Path) -> list[Path]:
    """Every file is on disk under a passing name before the first is put in its place."""
    parents = {folder for path in files for folder in path.parents if not folder.exists()}
    staged = {path: path.with_name(f".{path.name}.{os.getpid()}.tmp") for path in files}
    try:
        for path, content in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            _write(staged[path], content)
        for path, temporary in staged.items():
            temporary.replace(path)
    except OSError as error:
        _discard(staged.values())
        _remove_empty(parents)
        reason = error.strerror or str(error)
        to_do = "choose another place with -o, or make room and try again"
        raise ReportError(f"the report cannot be written: {reason}", where=str(output), to_do=to_do) from error
    finally:
        _discard(staged.values())
    return list(files)


def _write(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _remove_empty(folders: Iterable[Path]) -> None:
    """Folders that were made for files that were not written, the innermost first."""
    for folder in sorted(folders, key=lambda one: -len(one.parts)):
        with suppress(OSError):
            folder.rmdir()


def _discard(temporaries: Iterable[Path]) -> None:
    for temporary in temporaries:
        with suppress(OSError):
            temporary.unlink()
