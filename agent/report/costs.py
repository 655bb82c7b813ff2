"""What arms take, and what fine-tuning gave back of what a cut took."""

from ...prompts import phrases
from ..results import Effect, Mode, Results
from . import selection
from .footnotes import grouped
from .numbers import MISSING, count, duration, number, with_interval
from .rows import Row, effect_row, from_rows
from .selection import intervention, is_placebo, name
from .table import Table


def recovery_table(results: Results, mode: Mode) -> Table:
    """Confirmatory effects right after the cut and after fine-tuning; empty where nothing was fine-tuned."""
    family = [*selection.confirmatory(results, mode), *selection.further(results, mode)]
    effects = [effect for effect in family if effect.recovered]
    metric = "metric" if len({effect.metric for effect in effects}) > 1 else ""
    rows = [_recovered(effect) for effect in effects]
    told = [(name(e), e.recovered.reason) for e in effects if e.recovered and e.recovered.reason]
    keys = f"{metric} component intervention cut recovered given_back n_seed verdict"
    return from_rows(keys, rows, grouped(told))


def cost_table(results: Results, mode: Mode) -> Table:
    """What is known of what the confirmatory arms take, and of one in which nothing was removed."""
    placebos = [e for e in selection.controls(results, mode) if is_placebo(e) and e.metric == results.study.primary]
    effects = [*placebos[:1], *selection.confirmatory(results, mode)]
    rows = [_cost(effect) for effect in effects if effect.cost and effect.cost.model_dump(exclude_none=True)]
    known = [key for key in ("parameters", "flops", "steps", "seconds") if any(row[key] != MISSING for row in rows)]
    return from_rows(" ".join(["component", "intervention", *known]), rows)


def _recovered(effect: Effect) -> Row:
    found = effect.recovered
    assert found is not None
    after = number(effect.ablated, effect.interval), with_interval(effect.delta, effect.interval, signed=True)
    words = phrases("report/words.j2")
    n = words.units(found.n, 0, "seed", False)
    cut = words.after_cut(number(found.cut), number(found.cut_delta, signed=True))
    return {
        **effect_row(effect, named=False),
        "cut": MISSING if found.cut is None else cut,
        "recovered": words.after_cut(*after),
        "given_back": with_interval(found.fraction, found.interval),
        "n_seed": n,
    }


def _cost(effect: Effect) -> Row:
    cost = effect.cost
    assert cost is not None
    return {
        "component": phrases("report/words.j2").nothing_removed if is_placebo(effect) else name(effect),
        "intervention": intervention(effect),
        "parameters": count(cost.parameters),
        "flops": count(cost.flops),
        "steps": count(cost.steps),
        "seconds": duration(cost.seconds),
    }
