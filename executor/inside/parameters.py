"""Records of a model's parameters: each tensor once, with its other names and its packed parts."""

from typing import Any, Dict, List

import torch
from torch import nn

from .layers import torch_home

UNCUT = (nn.MultiheadAttention, nn.RNNBase, nn.RNNCellBase)
"""Layers of torch's own whose one forward uses several parameters."""


def parameters(model: nn.Module, packed: "Dict[str, int]") -> "List[Dict[str, Any]]":
    """One `ParameterRecord` a tensor, under its first name; `packed`: name of a query, key and value weight → dimension."""
    names: Dict[int, List[str]] = {}
    tensors: Dict[int, torch.Tensor] = {}
    for name, parameter in model.named_parameters(remove_duplicate=False):
        names.setdefault(id(parameter), []).append(name)
        tensors[id(parameter)] = parameter
    return [_record(model, names[key], tensors[key], packed) for key in names]


def _record(model: nn.Module, names: "List[str]", tensor: torch.Tensor, packed: "Dict[str, int]") -> "Dict[str, Any]":
    owner = names[0].rpartition(".")[0]
    dims = [packed[name] for name in names if name in packed]
    return {
        "name": names[0],
        "shape": list(tensor.shape),
        "module": owner,
        "bare": _is_bare(model.get_submodule(owner)),
        "aliases": names[1:],
        "packed": ["q", "k", "v"] if dims else [],
        "packed_dim": dims[0] if dims else 0,
    }


def _is_bare(owner: nn.Module) -> bool:
    return isinstance(owner, UNCUT) or torch_home(owner) in (None, "container")
