"""Steps of augmentation and preprocessing, in lists that a pipeline is made of."""

import ast
from collections.abc import Iterator

from ...components import ComponentKind
from .file import SourceFile
from .found import Change, Found, replaced
from .naming import MEASURES, dotted, last, of_words, slug

LIBRARIES = ("torchvision", "albumentations", "kornia", "torchaudio", "audiomentations", "timm.data", "monai")
PIPELINES = frozenset("Compose Sequential AugmentationSequential ReplayCompose".split())
FITTING = frozenset(
    "ToTensor ToTensorV2 PILToTensor ToImage ToPILImage ToDtype ConvertImageDtype Resize CenterCrop Crop Lambda Compose "
    "LongestMaxSize SmallestMaxSize PadIfNeeded Pad FiveCrop TenCrop Grayscale ToFloat ToPureTensor SanitizeBoundingBoxes".split()
)
"""Steps that only convert or fit shapes."""
WRAPPERS = frozenset({"RandomApply", "Sometimes", "OneOf", "RandomChoice", "SomeOf"})
CROPS = frozenset("RandomCrop RandomResizedCrop RandomSizedCrop RandomSizedBBoxSafeCrop".split())
AUGMENTS = (
    "random augment aug noise jitter flip rotate rotation shift scale affine erasing cutout dropout blur mixup mix mask "
    "distortion distort elastic perspective brightness contrast hue saturation gamma gauss compression transpose "
    "solarize posterize equalize clahe sharpen invert perturb warp stretch"
)
PREPARES = "normalize standardize whiten rescale scale clip mel spectrogram mfcc resample mulaw normalise standardise"
OUTSIDE = "test val valid validation eval evaluation infer inference predict demo"
"""Words of pipelines for what is not trained on."""


def steps(source: SourceFile) -> Iterator[Found]:
    """Each step that can be left out."""
    for node in source.nodes:
        if isinstance(node, ast.List | ast.Tuple):
            yield from _listed(source, node, node.elts, inside=_is_pipeline(source, source.parent(node)))
        elif isinstance(node, ast.Call) and len(node.args) > 1 and _is_pipeline(source, node):
            yield from _listed(source, node, node.args, inside=last(node.func) != "Sequential")
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and last(node.value.func) == "append":
            yield from _appended(source, node, node.value)


def _is_pipeline(source: SourceFile, node: ast.AST | None) -> bool:
    return isinstance(node, ast.Call) and last(node.func) in PIPELINES


def _listed(source: SourceFile, home: ast.expr, elements: list[ast.expr], *, inside: bool) -> Iterator[Found]:
    """Steps in a list: of a pipeline (`inside`), or recognised by the library that they come from."""
    known = [one for one in elements if isinstance(one, ast.Call) and _of_library(source, one)]
    around = next((one for one in source.around(home) if isinstance(one, ast.Call)), None)
    if not (inside or known) or (around and not _is_pipeline(source, around) and _of_library(source, around)):
        return
    for one in elements if inside else known:
        if isinstance(one, ast.Call) and (kind := _kind(source, one)):
            yield _found(source, one, kind, _without(source, home, one))


def _appended(source: SourceFile, statement: ast.Expr, call: ast.Call) -> Iterator[Found]:
    """`steps.append(transforms.RandomHorizontalFlip())`."""
    step = call.args[0] if call.args else None
    if isinstance(step, ast.Call) and _of_library(source, step) and (kind := _kind(source, step)):
        yield _found(source, step, kind, replaced(source, statement, "pass"))


def _of_library(source: SourceFile, call: ast.Call) -> bool:
    return source.imported(call.func).startswith(LIBRARIES)


def _kind(source: SourceFile, call: ast.Call) -> ComponentKind | None:
    """What a step is; None where it only converts or fits, or makes no more of what is trained on."""
    name = last(call.func)
    if name in WRAPPERS:
        return None if _outside(source, call) else "augmentation"
    if name in FITTING:
        return None
    if of_words(name, PREPARES) and not of_words(name, "random"):
        return "preprocessing"
    if name in CROPS or of_words(name, AUGMENTS) or (_of_library(source, call) and name[:1].isupper()):
        return None if _outside(source, call) else "augmentation"
    return None


def _outside(source: SourceFile, node: ast.AST) -> bool:
    """Whether a pipeline is for what is not trained on, by the name that it gets."""
    here = node
    for one in source.around(node):
        if isinstance(one, ast.Assign) and of_words(".".join(map(dotted, one.targets)), OUTSIDE):
            return True
        if isinstance(one, ast.Dict) and _key_of(one, here):
            return True
        if isinstance(one, ast.Call) and _bound_outside(one, here):
            return True
        here = one
    function = source.function(node)
    return bool(function and of_words(function.name, f"{OUTSIDE} {MEASURES}"))


def _key_of(node: ast.Dict, value: ast.AST) -> bool:
    pairs = zip(node.keys, node.values, strict=True)
    keys = [key for key, one in pairs if one is value]
    return any(isinstance(one, ast.Constant) and of_words(str(one.value), OUTSIDE) for one in keys)


def _bound_outside(call: ast.Call, inner: ast.AST) -> bool:
    """Whether a call that takes the pipeline makes a data set for evaluation: `train=False`, `split="test"`, `val_transform=…`."""
    for one in call.keywords:
        if one is inner and of_words(one.arg or "", OUTSIDE):
            return True
        if isinstance(one.value, ast.Constant):
            value = one.value.value
            if (one.arg == "train" and value is False) or (isinstance(value, str) and value in OUTSIDE.split()):
                return True
    return False


def _found(source: SourceFile, step: ast.Call, kind: ComponentKind, changes: tuple[Change, ...]) -> Found:
    name = last(step.func)
    inner = [last(one) for one in _inner(step)]
    fits = name in CROPS and not (name == "RandomCrop" and _pads(step))
    verb = "augment" if kind == "augmentation" else "preprocess"
    return Found(
        source,
        step,
        kind,
        slug(verb, *(inner or [name])),
        f"{verb} {'+'.join(inner) or name}",
        f"a step of a pipeline: `{source.said(step)[:60]}`" + (", which also fits the shape" if fits else ""),
        () if fits else changes,
    )


def _inner(step: ast.Call) -> list[ast.expr]:
    """What `RandomApply([…])` applies."""
    given = step.args[0] if step.args and last(step.func) in WRAPPERS else None
    return [one for one in given.elts if isinstance(one, ast.Call)] if isinstance(given, ast.List | ast.Tuple) else []


def _pads(step: ast.Call) -> bool:
    """Whether a random crop pads first, and so gives back the size that it was given."""
    return len(step.args) > 1 or any(one.arg == "padding" for one in step.keywords)


def _without(source: SourceFile, home: ast.expr, step: ast.expr) -> tuple[Change, ...]:
    """The list without one step: its comma goes too, and its line where it stands alone."""
    start, end = source.span(step, home)
    text = source.text
    after = end + len(text[end:]) - len(text[end:].lstrip())
    if text[after : after + 1] == ",":
        end = after + 1 + len(text[after + 1 :]) - len(text[after + 1 :].lstrip(" \t"))
    line, until = text.rfind("\n", 0, start) + 1, text.find("\n", end)
    alone = not text[line:start].strip() and until >= 0 and not text[end:until].partition("#")[0].strip()
    return (Change(line, until + 1, ""),) if alone else (Change(start, end, ""),)
