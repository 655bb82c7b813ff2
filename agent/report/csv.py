"""The findings as CSV: one row each, full precision, columns named as in the JSON contract."""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from ..records.claims import ClaimTest
from ..records.classes import ClassEffect, ClassScores
from ..records.datasets import DatasetContrast
from ..records.retuning import Retuned
from ..results import Cost, Effect, Interaction, Prediction, Recovered, Results
from .table import Cell, Column, Table
from .text import lines

_FORMULA = ("=", "+", "-", "@", "\t")
_NESTED: dict[str, tuple[str, type[BaseModel]]] = {
    "prediction": ("predicted", Prediction),
    "recovered": ("recovered", Recovered),
    "cost": ("cost", Cost),
    "retuned": ("retuned", Retuned),
}
"""Records inside of a finding: the prefix of their columns."""
_SCORES: dict[str, tuple[str, type[BaseModel]]] = {name: (name, ClassScores) for name in ("baseline", "ablated")}
"""Likewise inside of a class."""


def effects_csv(results: Results) -> str:
    """Every effect of every mode, role and metric."""
    return to_csv(_table(Effect, results.effects))


def interactions_csv(results: Results) -> str:
    """Every joint removal."""
    return to_csv(_table(Interaction, results.interactions))


def further_csv(results: Results) -> dict[str, str]:
    """What else there is, by name: losses on several data sets, single classes, and factorials with their cells."""
    found: dict[str, Table] = {}
    if results.datasets:
        found["datasets"] = _table(DatasetContrast, results.datasets)
    if results.classes:
        found["classes"] = _table(ClassEffect, results.classes, _SCORES)
    if results.factorials:
        found["factorial-cells"] = _factorial_cells(results)
    if any(one.rows for one in results.factorials):
        found["factorial"] = _factorial_rows(results)
    if results.claims:
        found["claims"] = _claims(results)
    return {name: to_csv(table) for name, table in found.items()}


def _claims(results: Results) -> Table:
    """Every test of every claim; a claim without one has a row of its own."""
    nothing = dict.fromkeys(ClaimTest.model_fields)
    rows = [
        {"claim": claim.id, "text": claim.text, "claim_status": claim.status} | _flat(test, {})
        for claim in results.claims
        for test in ([one.model_dump() for one in claim.tests] or [{**nothing, "reason": claim.reason}])
    ]
    return _keyed(rows)


def _factorial_rows(results: Results) -> Table:
    """Every line of every analysis of variance."""
    rows = [
        {"factorial": one.components, "mode": one.mode, "metric": one.metric, "unit": one.unit, "n": one.n}
        | _flat(row.model_dump(), {})
        for one in results.factorials
        for row in one.rows
    ]
    return _keyed(rows)


def _factorial_cells(results: Results) -> Table:
    """Every cell of every factorial."""
    rows = [
        {"factorial": one.components, "mode": one.mode, "metric": one.metric, "unit": one.unit} | cell.model_dump()
        for one in results.factorials
        for cell in one.cells
    ]
    return _keyed(rows)


def _keyed(rows: Sequence[Mapping[str, Any]]) -> Table:
    keys = list(rows[0]) if rows else []
    return Table(tuple(Column(key) for key in keys), tuple(tuple(_listed(row[key]) for key in keys) for row in rows))


def to_csv(table: Table) -> str:
    """A table as CSV under its column keys; what is unknown is an empty cell."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([column.key for column in table.columns])
    writer.writerows([_harmless(cell) for cell in row] for row in table.rows)
    return text.getvalue()


def _harmless(cell: Cell) -> Cell:
    """A text without control characters that no spreadsheet takes for a formula; numbers stay what they are."""
    if not isinstance(cell, str):
        return cell
    visible = lines(cell)
    return f"'{visible}" if visible.startswith(_FORMULA) else visible


def _table(
    record: type[BaseModel], found: Sequence[BaseModel], nested: Mapping[str, tuple[str, type[BaseModel]]] = _NESTED
) -> Table:
    rows = [_flat(each.model_dump(), nested) for each in found]
    keys = list(_flat(dict.fromkeys(record.model_fields), nested))
    return Table(tuple(Column(key) for key in keys), tuple(tuple(row.get(key) for key in keys) for row in rows))


def _flat(values: Mapping[str, Any], nested: Mapping[str, tuple[str, type[BaseModel]]]) -> dict[str, Cell]:
    cells: dict[str, Cell] = {}
    for key, value in values.items():
        if key == "grid":  # a table of its own: in the JSON
            continue
        if key.endswith("interval"):
            low, high = value if isinstance(value, tuple) else (None, None)
            cells |= {f"{key}_low": low, f"{key}_high": high}
        elif key in nested:
            prefix, record = nested[key]
            inner = value if isinstance(value, dict) else dict.fromkeys(record.model_fields)
            cells |= {f"{prefix}_{part}": cell for part, cell in _flat(inner, {}).items()}
        else:
            cells[key] = _listed(value)
    return cells


def _listed(value: Any) -> Cell:
    if isinstance(value, dict):
        return "; ".join(f"{name} {count}" for name, count in value.items())
    return "; ".join(map(str, value)) if isinstance(value, list) else value
