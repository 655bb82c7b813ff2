"""The course of training: schedules, warm-up, averaged weights, mixed precision."""

import ast
from collections.abc import Iterator

from .file import SourceFile
from .found import Change, Found, replaced
from .naming import dotted, is_on, last, names_in, of_words

SCHEDULERS = "sched scheduler schedulers schedule lrs"
WARM = "warmup warm"
WARM_STEPS = frozenset("num_warmup_steps warmup_steps warmup_epochs warmup_iters warmup_t warmup_ratio".split())


def course(source: SourceFile) -> Iterator[Found]:
    """Everything in the file that changes how training goes as it goes on."""
    for node in source.nodes:
        if source.measures(node) and not isinstance(node, ast.Call):
            continue
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            yield from _stepped(source, node, node.value)
        elif isinstance(node, ast.Assign | ast.AugAssign):
            yield from _rate(source, node)
        elif isinstance(node, ast.If | ast.IfExp):
            yield from _warmup(source, node)
        elif isinstance(node, ast.Call):
            yield from _warm_steps(source, node)
            yield from _precision(source, node)


def _stepped(source: SourceFile, statement: ast.Expr, call: ast.Call) -> Iterator[Found]:
    """`scheduler.step()`, and averages of the weights, which nothing mechanical takes out."""
    if not isinstance(call.func, ast.Attribute):
        return
    root = last(call.func.value)
    if call.func.attr in ("step", "step_update") and of_words(root, SCHEDULERS):
        evidence = f"a call of `{dotted(call.func)}`"
        changes = replaced(source, statement, "pass")
        yield Found(source, call, "schedule", "schedule", "learning rate schedule", evidence, changes)
    elif call.func.attr in ("update", "update_parameters") and of_words(root, "ema swa averaged"):
        evidence = f"`{source.said(call)[:60]}`; its model is used elsewhere"
        yield Found(source, call, "optimizer", "weight-averaging", "averaging of weights", evidence)


def _rate(source: SourceFile, node: ast.Assign | ast.AugAssign) -> Iterator[Found]:
    """`group["lr"] = …` in a loop over an optimizer's groups."""
    target = node.targets[0] if isinstance(node, ast.Assign) else node.target
    if not isinstance(target, ast.Subscript) or not isinstance(target.slice, ast.Constant):
        return
    loops = [one for one in source.around(node) if isinstance(one, ast.For) and "param_groups" in names_in(one.iter)]
    if target.slice.value == "lr" and loops:
        evidence = f"`{source.said(node)[:60]}`"
        changes = replaced(source, node, "pass")
        mentions = frozenset(names_in(node.value)) - {"lr"}
        yield Found(
            source, node, "schedule", "schedule", "learning rate schedule", evidence, changes, mentions=mentions
        )


def _warmup(source: SourceFile, node: ast.If | ast.IfExp) -> Iterator[Found]:
    """What holds while the steps are fewer than those of the warm-up, never held."""
    test = node.test
    if not isinstance(test, ast.Compare) or len(test.ops) != 1 or not isinstance(test.ops[0], ast.Lt | ast.LtE):
        return
    bound = test.comparators[0]
    body = node.body if isinstance(node.body, list) else [node.body]
    scaled = any(isinstance(one, ast.Div | ast.Mult) for part in body for one in ast.walk(part))
    if any(of_words(name, WARM) for name in names_in(bound)) and scaled:
        evidence = f"while `{source.said(test)[:60]}`"
        changes = replaced(source, test, "False")
        mentions = frozenset(names_in(test))
        yield Found(source, node, "schedule", "warmup", "warm-up", evidence, changes, mentions=mentions)


def _warm_steps(source: SourceFile, call: ast.Call) -> Iterator[Found]:
    """A scheduler's own warm-up, as a number; and `min(1.0, step / warmup)`."""
    for one in call.keywords:
        if one.arg in WARM_STEPS and is_on(one.value):
            evidence = f"`{one.arg}={source.said(one.value)}`"
            yield Found(source, one.value, "schedule", "warmup", "warm-up", evidence, replaced(source, one.value, "0"))
    if isinstance(call.func, ast.Name) and call.func.id == "min" and len(call.args) == 2:
        yield from _ramp(source, call)


def _ramp(source: SourceFile, call: ast.Call) -> Iterator[Found]:
    full = [one for one in call.args if isinstance(one, ast.Constant)]
    ramps = [one for one in call.args if isinstance(one, ast.BinOp) and isinstance(one.op, ast.Div)]
    if full and ramps and any(of_words(name, WARM) for name in names_in(ramps[0].right)):
        changes: tuple[Change, ...] = replaced(source, call, source.said(full[0]))
        mentions = frozenset(names_in(call))
        evidence = f"`{source.said(call)[:60]}`"
        yield Found(source, call, "schedule", "warmup", "warm-up", evidence, changes, mentions=mentions)


def _precision(source: SourceFile, call: ast.Call) -> Iterator[Found]:
    if last(call.func) in ("autocast", "GradScaler"):
        evidence = f"a call of {last(call.func)}: a matter of speed"
        yield Found(source, call, "other", "mixed-precision", "mixed precision", evidence)
