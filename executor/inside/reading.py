"""Metrics of a command: read from a file that it writes and from the lines that it prints."""

import csv
import io
import json
import math
import os
import re
from glob import glob
from typing import Any, Dict, Iterator, List, Optional, Sequence, Tuple

from .patterns import compiled
from .wire import pack

STEPS = ("step", "global_step", "steps", "iter", "iteration", "iters", "it", "epoch", "epochs", "round")
"""Names of what numbers rows, the finest first."""
NUMBER = re.compile(
    r"^[\s=:(\[]*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|[-+]?(?:nan|inf(?:inity)?))\s*%?[\s,;)\]]*$", re.I
)
LARGEST = 64 << 20
"""Bytes of a file of metrics."""
MOST_METRICS, MOST_CURVES, MOST_POINTS, MOST_ROWS = 64, 16, 2000, 1_000_000
Row = Dict[str, float]


class Missing(Exception):
    """A metric that the study names is not there; the message says which, and where it was looked for."""


class NotFinite(Exception):
    """A metric is not a finite number."""


class Reader:
    """The metrics of one run. `line` is given what it prints; `file`, with placeholders filled in, may be a glob pattern."""

    def __init__(self, reading: "Dict[str, Any]", file: "Optional[str]") -> None:
        self._goals: Dict[str, str] = reading["goals"]
        self._reduce: str = reading["reduce"]
        self._patterns = [compiled(one) for one in reading["patterns"]]
        self._file = file
        self._before = {path: _content(path) for path in self._files()}
        self._rows: List[Row] = []
        self._odd: Dict[str, str] = {}
        self._notes: List[str] = []

    def line(self, text: str) -> None:
        """One line of output."""
        for pattern in self._patterns:
            for match in pattern.finditer(text):
                self._add({name: value for name, value in match.groupdict().items() if value is not None})

    def found(self) -> "Dict[str, Any]":
        """`{"metrics", "curves"}`. `Missing` or `NotFinite` where the study's own metrics are not all there."""
        self._read_file()
        columns, steps = self._columns()
        names = {goal: _match(goal, columns) for goal in self._goals}
        missing = [goal for goal, name in names.items() if name is None]
        if missing:
            raise Missing(self._what_is_missing(missing, list(columns)))
        renamed = {name: goal for goal, name in names.items() if name is not None}
        ordered = [*renamed, *(name for name in columns if name not in renamed)][:MOST_METRICS]
        metrics = {renamed.get(name, name): self._reduced(renamed.get(name, name), columns[name]) for name in ordered}
        broken = [f"{name} is {metrics[name]}" for name in self._goals if not math.isfinite(metrics[name])]
        if broken:
            raise NotFinite(f"not a finite number: {', '.join(broken)}")
        curves = {
            renamed.get(name, name): _curve(columns[name], steps[name]) for name in ordered if len(columns[name]) > 1
        }
        return {
            "metrics": {name: value for name, value in metrics.items() if math.isfinite(value)},
            "curves": dict(list(curves.items())[:MOST_CURVES]),
        }

    def _add(self, row: "Dict[str, Any]") -> None:
        numbers = {name: number(value) for name, value in row.items()}
        self._odd.update({name: str(row[name])[:40] for name, value in numbers.items() if value is None})
        plain = {name: value for name, value in numbers.items() if value is not None}
        if plain and len(self._rows) < MOST_ROWS:
            self._rows.append(plain)

    def _files(self) -> "List[str]":
        if self._file is None:
            return []
        found = glob(self._file, recursive=True) if any(sign in self._file for sign in "*?[") else [self._file]
        return sorted((one for one in found if os.path.isfile(one)), key=os.path.getmtime)

    def _read_file(self) -> None:
        """The newest file that this run has written; of one that was there before, the rows behind those that were."""
        if self._file is None:
            return
        fresh = [path for path in self._files() if self._before.get(path) != _content(path)]
        if not fresh:
            there = "was there before and was not written" if self._before else "does not exist"
            self._notes.append(f"the file {self._file} {there}")
            return
        path = fresh[-1]
        try:
            rows = list(rows_of(path, _content(path)))
            old = self._before.get(path)
            if old and _content(path).startswith(old):
                rows = rows[len(list(rows_of(path, old))) :]
        except (ValueError, csv.Error) as error:
            self._notes.append(f"the file {path} cannot be read: {error}")
            return
        for row in rows:
            self._add(row)
        self._notes.append(f"the file {path} with {len(rows)} row{'s' if len(rows) != 1 else ''}")

    def _columns(self) -> "Tuple[Dict[str, List[float]], Dict[str, Optional[List[float]]]]":
        """Each metric's values in order, and the numbers of their rows where each has one."""
        columns: Dict[str, List[float]] = {}
        steps: Dict[str, List[Optional[float]]] = {}
        for row in self._rows:
            counter = next((name for wanted in STEPS for name in row if name.lower() == wanted), None)
            for name, value in row.items():
                if name.lower() in STEPS and name not in self._goals:
                    continue
                columns.setdefault(name, []).append(value)
                steps.setdefault(name, []).append(None if counter is None else row[counter])
        numbered = {
            name: None if None in values else [one for one in values if one is not None]
            for name, values in steps.items()
        }
        return columns, numbered

    def _reduced(self, name: str, values: "List[float]") -> float:
        if self._reduce.startswith("mean:"):
            last = values[-int(self._reduce[5:]) :]
            return math.fsum(last) / len(last) if all(map(math.isfinite, last)) else math.nan
        finite = [one for one in values if math.isfinite(one)]
        if self._reduce == "best" and name in self._goals and finite:
            return max(finite) if self._goals[name] == "maximize" else min(finite)
        return values[-1]

    def _what_is_missing(self, missing: "List[str]", there: "List[str]") -> str:
        looked = list(self._notes)
        if self._patterns:
            looked.append(f"{len(self._patterns)} pattern{'s' if len(self._patterns) != 1 else ''} over its output")
        odd = [f"{name} was {self._odd[name]!r}, which is no number" for name in missing if name in self._odd]
        several = {goal: _endings(goal, there) for goal in missing}
        odd += [f"{goal} may be {' or '.join(names)}: name it in full" for goal, names in several.items() if names]
        where = "; ".join(looked) or "neither metrics_file nor metrics_pattern says where"
        also = f"; found there: {', '.join(there[:12])}" if there else ""
        return f"no {' and no '.join(missing)} was found (looked at: {where}{also}){''.join('; ' + one for one in odd)}"


def rows_of(path: str, content: bytes) -> "Iterator[Dict[str, Any]]":
    """The rows of a JSON, JSONL or CSV file. `ValueError` where it is none of them."""
    text = content.decode(errors="replace")
    if path.endswith((".csv", ".tsv")):
        yield from csv.DictReader(io.StringIO(text), delimiter="\t" if path.endswith(".tsv") else ",")
        return
    try:
        whole = json.loads(text)
    except ValueError:
        lines = [line for line in text.splitlines() if line.strip()]
        if not lines or not lines[0].lstrip().startswith("{"):
            raise
        for line in lines:
            yield from _rows_in(json.loads(line))
        return
    yield from _rows_in(whole)


def _rows_in(value: Any) -> "Iterator[Dict[str, Any]]":
    """Rows of a list of objects; an object is one row, and its lists of numbers are columns of further ones."""
    if isinstance(value, list):
        for item in value:
            yield from _rows_in(item)
        return
    if not isinstance(value, dict):
        return
    flat = dict(_flat(value, ""))
    lists = {name: item for name, item in flat.items() if isinstance(item, list) and item}
    for name, rows in lists.items():
        if isinstance(rows[0], dict):
            for row in rows:
                if isinstance(row, dict):
                    yield {f"{name}/{key}" if key.lower() not in STEPS else key: one for key, one in _flat(row, "")}
    columns = {name: item for name, item in lists.items() if not isinstance(item[0], (dict, list))}
    for index in range(max(map(len, columns.values()), default=0)):
        yield {name: item[index] for name, item in columns.items() if index < len(item)}
    plain = {name: item for name, item in flat.items() if not isinstance(item, list)}
    if plain:
        yield plain


def _flat(value: "Dict[str, Any]", prefix: str) -> "Iterator[Tuple[str, Any]]":
    for key, item in value.items():
        if isinstance(item, dict):
            yield from _flat(item, f"{prefix}{key}/")
        else:
            yield f"{prefix}{key}", item


def number(value: Any) -> "Optional[float]":
    """`97%`, `1e-3`, `nan` and `inf` as numbers; None for what is none."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, (int, float)):
        return float(value)
    found = NUMBER.match(value) if isinstance(value, str) else None
    return float(found[1]) if found else None


def _match(goal: str, columns: "Dict[str, List[float]]") -> "Optional[str]":
    """The column that is meant: of that name, of that name written another way, or the only one that ends in it."""
    if goal in columns:
        return goal
    same = [name for name in columns if _plain(name) == _plain(goal)]
    ends = same or _endings(goal, list(columns))
    return ends[0] if len(ends) == 1 else None


def _endings(goal: str, names: "Sequence[str]") -> "List[str]":
    return [name for name in names if re.split(r"[/.]", name)[-1] == goal]


def _plain(name: str) -> str:
    return re.sub(r"\W+", "_", name)


def _content(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read(LARGEST)


def _curve(values: "List[float]", steps: "Optional[List[float]]") -> "Dict[str, Any]":
    """Packed, evenly thinned to at most some thousand points, the last among them."""
    count = len(values)
    chosen: Sequence[int] = range(count)
    if count > MOST_POINTS:
        chosen = sorted({round(index * (count - 1) / (MOST_POINTS - 1)) for index in range(MOST_POINTS)})
    curve = {"value": pack([values[index] for index in chosen])}
    return curve if steps is None else {**curve, "step": pack([steps[index] for index in chosen])}
