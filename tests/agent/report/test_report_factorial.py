"""Full factorials in the report, of simulated values: every line of the table, and labels that come from any code."""

import csv
import io
import json

import numpy as np
import pytest
from lesion.agent.analysis.factorial import cells_of, factorial_table
from lesion.agent.analysis.looks import Look, Rules
from lesion.agent.records.factorial import ComponentInContext, Factorial, FactorialCell, FactorialRow
from lesion.agent.report.markdown import markdown_report
from lesion.agent.report.write import write_report
from lesion.agent.results import Results
from simulated_results import results

PARTS = ["module:a", "module:b"]


def factorial(loss=0.08, **changes):
    dice = np.random.default_rng(1)
    y = np.array([0.9, 0.9, 0.9, 0.9 - loss])[:, None] + dice.normal(0, 0.002, (4, 5))
    found = factorial_table(y, np.ones(y.shape, dtype=bool), PARTS, Rules(0.01, (Look(5, 0.05),)))
    assert found.variation is not None
    rows = [
        FactorialRow(
            components=list(one.components),
            contrast=one.estimate.loss,
            interval=one.estimate.interval,
            level=one.estimate.level,
            sum_of_squares=one.sum_of_squares,
            eta_squared=one.eta_squared,
            partial_eta_squared=one.partial_eta_squared,
            f_pooled=one.pooled.f if one.pooled else None,
            p_pooled=one.pooled.p if one.pooled else None,
            f_own=one.own.f if one.own else None,
            p_own=one.own.p if one.own else None,
            df_own=4,
            p=one.estimate.p,
            p_adjusted=one.estimate.p_adjusted,
            p_equivalence=one.estimate.p_equivalence,
            verdict="matters" if len(one.components) == 1 else "compensation",
        )
        for one in found.effects
    ]
    nothing = dict.fromkeys(["first_interval", "average_interval", "last_interval"])
    fields = {
        "components": PARTS,
        "labels": ["layer|a", "layer|a"],
        "mode": "retrain",
        "metric": "accuracy",
        "round": 2,
        "unit": "seed",
        "n": 5,
        "cells": [
            FactorialCell(removed=sorted(cell), mean=float(values.mean()), sd=float(values.std(ddof=1)), n=5)
            for cell, values in zip(cells_of(PARTS), y, strict=True)
        ],
        "rows": rows,
        "in_context": [
            ComponentInContext(component=one, first=0.0, average=0.04, last=loss, **nothing) for one in PARTS
        ],
        "error": "pooled",
        "bartlett_p": 0.4,
        "between_units": found.variation.units,
        "residual": found.variation.residual,
        "residual_df": found.variation.residual_df,
        "total": found.variation.total,
        "smallest_effect": 0.01,
    }
    return Factorial(**{**fields, **changes})


def section(*found):
    text = markdown_report(results(factorials=list(found)))
    return text.split("## Full factorial")[1].split("\n## ")[0]


def test_the_section_has_every_cell_effect_and_remainder():
    text = section(factorial())
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert len(lines) == (2 + 4) + (2 + 3 + 3) + (2 + 2)
    assert [
        line.split("|")[4].strip() for line in lines if line.startswith(("| *seeds*", "| *residual*", "| *total*"))
    ] == [*("4", "12", "19")]
    assert "should not be read alone" in text
    assert "p = .400, so the verdicts go by the pooled error" in text


def test_equal_and_hostile_labels_are_told_apart_and_fill_one_cell():
    text = section(factorial())
    assert "layer\\|a (module:a) × layer\\|a (module:b)" in text


@pytest.mark.parametrize("unit", ["example", "cluster"])
def test_over_examples_there_is_no_pooled_error_to_show(unit):
    rows = [row.model_copy(update={"f_pooled": None, "p_pooled": None}) for row in factorial().rows]
    text = section(factorial(unit=unit, error="own", bartlett_p=None, rows=rows))
    assert "F (pooled)" not in text
    assert "Bartlett" not in text


def test_only_the_primary_metric_is_in_the_report_and_all_of_them_in_the_files(tmp_path):
    both = results(factorials=[factorial(), factorial(metric="macro_f1", labels=["x", "y"])])
    assert "macro" not in markdown_report(both).split("## Full factorial")[1].split("\n## ")[0]
    write_report(both, ["csv", "json", "md"], tmp_path)
    rows = list(csv.DictReader(io.StringIO((tmp_path / "factorial.csv").read_text())))
    assert [row["metric"] for row in rows] == ["accuracy"] * 3 + ["macro_f1"] * 3
    assert rows[2]["components"] == "module:a; module:b"
    assert len(list(csv.DictReader(io.StringIO((tmp_path / "factorial-cells.csv").read_text())))) == 8
    assert Results.model_validate_json((tmp_path / "report.json").read_text()) == both


def test_results_without_factorials_have_no_section_and_older_ones_load():
    old = json.loads(results().model_dump_json())
    del old["factorials"]
    assert Results.model_validate(old) == results()
    assert "Full factorial" not in markdown_report(results())
