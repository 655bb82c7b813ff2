"""TransformerLens: its bridge around the same model, `hook_z` of each head set to 0."""

from functools import partial

import torch
from experiment import losses
from serving import Head, Losses, load, serve
from tokenizers import Tokenizer, models
from transformer_lens.model_bridge import TransformerBridge
from transformers import PreTrainedTokenizerFast

work = load()
# the bridge wants a tokenizer; none of its words is ever used
words = PreTrainedTokenizerFast(
    tokenizer_object=Tokenizer(models.WordLevel({"<unk>": 0}, unk_token="<unk>")),
    bos_token="<unk>",
    eos_token="<unk>",
    pad_token="<unk>",
    name_or_path="words",
    add_bos_token=True,  # else it is loaded anew, from a hub
)
bridge = TransformerBridge.boot_transformers("gpt2", hf_model=work.model, tokenizer=words, device="cpu")


def zeroed(z: torch.Tensor, hook: object, head: int) -> torch.Tensor:
    """`z` is what the heads give, before the output projection: [B, tokens, heads, width], or all side by side."""
    if z.ndim == 4:
        z[:, :, head] = 0
    else:
        z[..., work.columns(head)] = 0
    return z


def without(heads: list[Head]) -> list[float]:
    """The loss of each example."""
    hooks = [(f"blocks.{layer}.attn.hook_z", partial(zeroed, head=index)) for layer, index in heads]
    found = []
    for batch in work.batches:
        logits = bridge.run_with_hooks(batch[:, :-1], return_type="logits", fwd_hooks=hooks)
        found.append(losses(logits, batch))
    return torch.cat(found).tolist()


def removed(sets: list[list[Head]]) -> Losses:
    return [without(heads) for heads in sets]


serve(removed)
