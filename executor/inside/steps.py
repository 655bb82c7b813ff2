"""One step of an experiment: stopped from inside, and what it computed, hashed."""

from contextlib import contextmanager
from typing import Any, Callable, Dict, Generator, List, Optional

from torch import nn

from .eager import eagerly
from .experiment import Run
from .tensors import digest, tensors_of, weights_digest

MOST_OF_FORM = 500
"""Characters."""


class OneStep(BaseException):
    """Ends a check from inside; not an `Exception`, so that user code does not catch it by accident."""


def one_step(run: Run) -> "Dict[str, Any]":
    """Stop training at the second training forward and evaluation at its second; `{stage: hash of what was seen}`."""
    stages = trained_a_step(run)
    with stopping(run.model, lambda: True, stages, "evaluate"), noting_form(run):
        run.evaluate()
    return stages


def trained_a_step(run: Run) -> "Dict[str, Any]":
    """Stop training at the second training forward; the hashes of the first output and of the weights then."""
    stages: Dict[str, Any] = {}
    with stopping(run.model, lambda: run.model.training, stages, "train"):
        run.train()
    stages["weights"] = weights_digest(run.model)
    return stages


def flops_of(run: Run) -> Optional[int]:
    """Floating-point operations of one forward in evaluation, as torch's formulas count them; None where one is missing."""
    try:
        from .flops import Meter

        with eagerly(run.model), Meter() as meter, stopping(run.model, lambda: True, {}, "flops"):
            run.evaluate()
        return None if meter.uncounted else int(meter.total)
    except Exception:
        return None  # a number for the report; the check itself runs without it


@contextmanager
def recording(model: nn.Module, stages: "Dict[str, Any]", name: str) -> "Generator[None, None, None]":
    """Hash the output of the first forward of `model` into `stages[name]`."""

    def record(_module: nn.Module, _args: Any, output: Any) -> None:
        if name not in stages:
            stages[name] = digest(tensors_of(output))

    handle = model.register_forward_hook(record)
    try:
        yield
    finally:
        handle.remove()


@contextmanager
def noting_form(run: Run) -> "Generator[None, None, None]":
    """Note in `run.form` what the first forward puts out, and whether it changed its inputs: who evaluates relies on both."""
    versions: List[int] = []

    def begin(_module: nn.Module, args: Any) -> None:
        if run.form is None:
            versions[:] = _versions(args)

    def end(_module: nn.Module, args: Any, output: Any) -> None:
        if run.form is None:
            shapes = [f"{str(one.dtype).replace('torch.', '')}{list(one.shape)}" for one in tensors_of(output)]
            changed = ", its inputs changed" if _versions(args) != versions else ""
            run.form = (", ".join(shapes) or type(output).__name__)[:MOST_OF_FORM] + changed

    handles = [run.model.register_forward_pre_hook(begin), run.model.register_forward_hook(end)]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _versions(args: Any) -> "List[int]":
    """How often each tensor was changed in place; of tensors made in inference mode nobody knows."""
    return [one._version for one in tensors_of(args) if not one.is_inference()]


@contextmanager
def stopping(
    model: nn.Module, counts: "Callable[[], bool]", stages: "Dict[str, Any]", name: str
) -> "Generator[None, None, None]":
    """End the body at the second forward of `model` for which `counts()` holds."""
    seen = 0

    def stop(_module: nn.Module, _args: Any) -> None:
        nonlocal seen
        seen += counts()
        if seen == 2:
            raise OneStep

    handle = model.register_forward_pre_hook(stop, prepend=True)  # no other hook sees a forward that never ran
    try:
        with recording(model, stages, name):
            yield
    except OneStep:
        pass
    finally:
        handle.remove()
