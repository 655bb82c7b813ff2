"""Finds the model of a script by its first call, and stays with it: interventions go in before that call runs.

`nn.Module.__call__` is exchanged for the first steps of a run: unlike a global hook it sees a call before torch has
taken hold of the module's `forward`, with all arguments, and costs every later call nothing once it is gone.
"""

from contextlib import ExitStack
from typing import Any, Dict, List, Optional

import torch
from torch import nn

from .filling import Refused
from .gpu import gpu_memory
from .holders import unwrapped
from .looking import Look
from .roots import Placed, Root, Roots
from .saving import save_without_cuts
from .seeding import prefer_deterministic_kernels
from .tensors import Checksum, digest, tensors_of, weights_digest

FIRST_CALLS = 64
"""Calls of roots after which no new ones are looked for where nothing is cut, and none counts for the fingerprint."""
PATIENCE = 8
"""Training forwards without any optimizer's step after which a check ends all the same."""
MOST_OF_FORM = 500
"""Characters."""
KEPT = 1 << 16
"""Numbers of an output that are kept for the fingerprint."""


class Follower:
    """One script's model: what was cut, seen and counted. `plan["kind"]`: run, evaluate, check or anatomy."""

    def __init__(self, plan: "Dict[str, Any]", session: Any) -> None:
        self.plan, self.session, self.kind = plan, session, plan["kind"]
        self.roots = Roots()
        self.placed = Placed(plan["interventions"], plan["seed"])
        self.calls = self.forwards = self.steps = self.backwards = 0
        self.stages: Dict[str, str] = {}
        self.form: Optional[str] = None
        self._last: Optional[torch.Tensor] = None
        self._outputs = Checksum()
        self._known: Dict[int, Any] = {}
        self._quiet = False
        self._watching = ExitStack()
        self._looks: List[Look] = []
        self._plain_call: Any = None

    def begin(self) -> None:
        """Wait for the first module. The fast path of attention, which hooks would turn off, is off in every run."""
        torch.backends.mha.set_fastpath_enabled(False)
        if self.session.plan["deterministic"]:
            prefer_deterministic_kernels()
        self._plain_call = plain = nn.Module.__call__
        known, follower = self._known, self

        def call(module: Any, *args: Any, **kwargs: Any) -> Any:
            if id(module) not in known and follower.meet(module):
                return follower.through(module, plain, args, kwargs)
            return plain(module, *args, **kwargs)

        nn.Module.__call__ = call  # type: ignore[method-assign]
        if self.placed.specs:
            save_without_cuts()
        if self.kind in ("check", "anatomy"):
            self._count_steps()

    def meet(self, module: nn.Module) -> bool:
        """A module that nobody knows is called; whether it is a root itself, so that this call counts as one of its."""
        if self._quiet or not self.session.here:
            return False
        own = unwrapped(module)
        self._know(module)
        if next(own.parameters(), None) is None:
            return False
        for part in module.modules():
            self._know(part)
        if self.roots.running:
            return False  # made anew within a forward, or kept in a plain list: a part of what runs
        root = self.roots.add(own, late=self.calls >= FIRST_CALLS)
        self._refusing(lambda: self.placed.put_into(root))
        if self.kind == "anatomy" and root.original is None:
            self._looks = [one for one in self._looks if one.root in self.roots.all]
            self._looks.append(Look(root, self._watching))
        self._follow_class(type(own))
        return own is module

    def through(self, root: nn.Module, call: Any, args: Any, kwargs: Any) -> Any:
        """One call of a root."""
        if self._quiet or self.roots.running or not self.session.here:
            return call(root, *args, **kwargs)
        self._before(root)
        self.roots.running = True
        try:
            output = call(root, *args, **kwargs)
        except Refused as refusal:
            self._refuse(refusal)
            raise
        finally:
            self.roots.running = False
        self._after(root, output)
        return output

    def report(self) -> "Dict[str, Any]":
        """What is known of the model at the end."""
        self._quiet = True
        self._watching.close()
        told = [root for root in self.roots.all if not root.late]
        found: Dict[str, Any] = {
            "modules": self.roots.paths(),
            "proofs": self.placed.proofs(),
            "missing": self.placed.missing(),
            "refused": self.placed.refusal,
            "stages": {**self.stages, **({"weights": self._weights()} if self._short and self.roots.all else {})},
            "form": self.form,
            "forwards": self.forwards,
            **gpu_memory(),
            "calls": self.calls,
            "fingerprint": self._fingerprint(told),
            "parameters": sum(one.size for one in self.roots.all if one.original is None) if self.roots.all else None,
            "environment": self._environment(),
        }
        if self.kind == "anatomy":
            found["models"] = sorted({one.shape[0].__name__ for one in self.roots.all})
        for look in self._looks:
            look.add_to(found)
        return found

    @property
    def _short(self) -> bool:
        return self.kind in ("check", "anatomy")

    def _know(self, module: nn.Module) -> None:
        import weakref

        key = id(module)
        self._known[key] = weakref.ref(module, lambda _gone: self._known.pop(key, None))

    def _follow_class(self, kind: Any) -> None:
        """Every later call of this class passes through here, for as long as the script runs."""
        if "_lesion_follows" in kind.__dict__:
            return
        own, follower = kind.__dict__.get("__call__"), self

        def call(module: Any, *args: Any, **kwargs: Any) -> Any:
            before = own if own is not None else super(kind, module).__call__.__func__
            if module in follower.roots:
                return follower.through(module, before, args, kwargs)
            return before(module, *args, **kwargs)

        kind.__call__, kind._lesion_follows = call, True

    def _before(self, root: nn.Module) -> None:
        self.calls += 1
        self.roots.called(root)
        if root.training:
            self.forwards += 1
        if self._plain_call is not None and self.calls > FIRST_CALLS and not self.placed.specs:
            nn.Module.__call__, self._plain_call = self._plain_call, None  # type: ignore[method-assign]
        if self._short and self._seen_enough(root):
            self.session.stop()

    def _seen_enough(self, root: nn.Module) -> bool:
        if self.placed.missing() and self.calls < FIRST_CALLS:
            return False
        if self.plan["command"] == "evaluate":
            return self.calls >= 2
        return root.training and self.forwards >= 2 and (self.steps > 0 or self.forwards > PATIENCE)

    def _after(self, root: nn.Module, output: Any) -> None:
        if self._short:
            stage = "train" if root.training else "evaluate"
            if stage not in self.stages:
                self.stages[stage] = digest(tensors_of(output))
                self.form = _form(output) if self.form is None or stage == "evaluate" else self.form
        elif self.kind == "evaluate":
            self._outputs.add(output)
        elif type(output) is torch.Tensor and output.numel() <= KEPT:
            self._last = output.detach()

    def _count_steps(self) -> None:
        from torch.optim.optimizer import register_optimizer_step_post_hook

        def stepped(*_args: Any) -> None:
            self.steps += 1

        register_optimizer_step_post_hook(stepped)
        backward = torch.autograd.backward

        def counted(tensors: Any, *args: Any, **kwargs: Any) -> Any:
            self.backwards += 1
            if not self.roots.all:
                if self.backwards == 2:
                    self.session.stop()
                self.stages.setdefault("train", digest(tensors_of(tensors)))
            return backward(tensors, *args, **kwargs)

        torch.autograd.backward = counted

    def _refusing(self, place: Any) -> None:
        try:
            place()
        except Refused as refusal:
            self._refuse(refusal)

    def _refuse(self, refusal: Refused) -> None:
        """The intervention makes no sense here: the script is ended at once, so that nothing it does about it can hide that."""
        self.placed.refusal = str(refusal)
        self.session.stop()

    def _weights(self) -> str:
        return "/".join(weights_digest(one.module) for one in self.roots.all if not one.late and one.module is not None)

    def _fingerprint(self, told: "List[Root]") -> "Optional[str]":
        if not told:
            return None
        if self.kind == "evaluate":
            return self._outputs.with_values(None)
        last = [] if self._last is None else [self._last]
        weights = [part for one in told if one.module is not None for part in one.module.state_dict().values()]
        return digest(tensors_of([*weights, *last]))

    def _environment(self) -> "Dict[str, Any]":
        import platform
        import sys

        names = ("numpy", "sklearn", "transformers")
        loaded = {name: str(getattr(sys.modules[name], "__version__", None)) for name in names if name in sys.modules}
        gpus = torch.cuda.device_count() if torch.cuda.is_initialized() else 0
        return {
            "python": platform.python_version(),
            "torch": str(torch.__version__),
            **loaded,
            "cuda": str(torch.version.cuda),
            "gpus": [torch.cuda.get_device_name(index) for index in range(gpus)],
        }


def _form(output: Any) -> str:
    """Shapes and types of an output."""
    shapes = ["%s%s" % (str(one.dtype).replace("torch.", ""), list(one.shape)) for one in tensors_of(output)]
    return (", ".join(shapes) or type(output).__name__)[:MOST_OF_FORM]
