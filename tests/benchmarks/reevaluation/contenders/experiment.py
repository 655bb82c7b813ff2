"""A causal language model of GPT-2's shape and its loss on each sequence, as an experiment file.

Configuration: `layers`, `heads`, `width`, `vocabulary`, `tokens` (length of a sequence), `weights` (a file of trained
weights; none: random ones), `batch` (sequences in one), and `examples`: that many random sequences, or those from `first` on
of the file `sequences`, a tensor [N, tokens + 1].
"""

import torch
from torch.nn.functional import cross_entropy
from transformers import GPT2Config, GPT2LMHeadModel


def build_model(config):
    torch.manual_seed(0)
    shape = GPT2Config(
        vocab_size=config["vocabulary"],
        n_positions=config["tokens"],
        n_embd=config["width"],
        n_layer=config["layers"],
        n_head=config["heads"],
        use_cache=False,
        attn_implementation="sdpa",
        bos_token_id=0,
        eos_token_id=0,
        resid_pdrop=0.0,
        embd_pdrop=0.0,
        attn_pdrop=0.0,
    )
    return GPT2LMHeadModel(shape).eval()


def load_weights(model, config):
    if config["weights"]:
        model.load_state_dict(torch.load(config["weights"], weights_only=True))


def sequences(config):
    """Shape [N, tokens + 1]: one token more than the model reads, since each is to be told from those before it."""
    if config.get("sequences"):
        written = torch.load(config["sequences"], weights_only=True)
        return written[config["first"] :][: config["examples"]].long()
    generator = torch.Generator().manual_seed(1)
    size = (config["examples"], config["tokens"] + 1)
    return torch.randint(config["vocabulary"], size, generator=generator)


def batches(config, split):
    return iter(sequences(config).split(config["batch"]))


def losses(logits, batch):
    """Mean cross-entropy of each sequence, shape [B], from logits of shape [B, tokens, vocabulary]."""
    each = cross_entropy(logits.flatten(0, 1), batch[:, 1:].flatten(), reduction="none")
    return each.view(len(batch), -1).mean(1)


def score(model, batch):
    return {"loss": losses(model(batch[:, :-1]).logits, batch)}


def evaluate(model, config):
    with torch.no_grad():
        values = torch.cat([score(model, batch)["loss"] for batch in batches(config, "validation")])
    return {"loss": values.mean().item(), "examples": {"loss": values.tolist()}}
