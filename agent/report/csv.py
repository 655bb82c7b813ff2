"""The findings as CSV: one row each, full precision, columns named as in the JSON contract."""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from ..results import Effect, Interaction, Results
from .table import Cell, Column, Table


def effects_csv(results: Results) -> str:
    """Every effect of every mode, role and metric."""
    return to_csv(_table(Effect, results.effects))


def interactions_csv(results: Results) -> str:
    """Every joint removal."""
    return to_csv(_table(Interaction, results.interactions))


def to_csv(table: Table) -> str:
    """A table as CSV under its column keys; what is unknown is an empty cell."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([column.key for column in table.columns])
    writer.writerows(table.rows)
    return text.getvalue()


def _table(record: type[BaseModel], found: Sequence[BaseModel]) -> Table:
    rows = [_flat(each.model_dump()) for each in found]
    keys = list(_flat(dict.fromkeys(record.model_fields)))
    return Table(tuple(Column(key) for key in keys), tuple(tuple(row[key] for key in keys) for row in rows))


def _flat(values: Mapping[str, Any]) -> dict[str, Cell]:
    cells: dict[str, Cell] = {}
    for key, value in values.items():
        if key.endswith("interval"):
            low, high = value if isinstance(value, tuple) else (None, None)
            cells |= {f"{key}_low": low, f"{key}_high": high}
        elif key == "prediction":
            prediction = value if isinstance(value, dict) else {}
            cells |= {f"predicted_{part}": prediction.get(part) for part in ("direction", "size")}
        else:
            cells[key] = "; ".join(map(str, value)) if isinstance(value, list) else value
    return cells
