"""Learning to read handwritten digits from 320 labels: a small residual network and the usual recipe around it.

The images are scikit-learn's digits. Training, validation and test images are the same in every run;
the seed decides the initial weights, the order of the batches, the shifts and the dropout.
"""

import math

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn


def load_split(config, split):
    """Images [N, 1, 8, 8] and labels [N] of the training, validation or test split, on the device."""
    digits = load_digits()
    count, seed = config["train_examples"], config["split_seed"]
    train, rest = train_test_split(
        range(len(digits.target)), train_size=count, stratify=digits.target, random_state=seed
    )
    validation, test = train_test_split(rest, test_size=0.5, stratify=digits.target[rest], random_state=seed)
    chosen = {"train": train, "validation": validation, "test": test}[split]
    images = torch.tensor(digits.images, dtype=torch.float32)
    if config["standardize"]:
        images = (images - images[train].mean()) / images[train].std()
    labels = torch.tensor(digits.target)
    return images[chosen].unsqueeze(1).to(config["device"]), labels[chosen].to(config["device"])


def shift_randomly(images):
    """Every image moved by -1, 0 or 1 pixels along each axis; the edge is filled with background."""
    padded = F.pad(images, (1, 1, 1, 1), value=images.min().item())
    windows = padded.unfold(2, 8, 1).unfold(3, 8, 1)
    down, right = torch.randint(0, 3, (2, len(images)), device=images.device)
    return windows[torch.arange(len(images), device=images.device), :, down, right]


class Block(nn.Module):
    """Two 3 × 3 convolutions beside a shortcut."""

    def __init__(self, width, batch_norm, residual):
        super().__init__()
        self.conv1 = nn.Conv2d(width, width, 3, padding=1)
        self.norm1 = nn.BatchNorm2d(width) if batch_norm else nn.Identity()
        self.conv2 = nn.Conv2d(width, width, 3, padding=1)
        self.norm2 = nn.BatchNorm2d(width) if batch_norm else nn.Identity()
        self.residual = residual

    def forward(self, x):
        out = self.norm2(self.conv2(F.relu(self.norm1(self.conv1(x)))))
        return F.relu(out + x if self.residual else out)


class DigitNet(nn.Module):
    """A stem at 8 × 8, a residual block at 4 × 4, and a linear head; a second head reads the stem."""

    def __init__(self, config):
        super().__init__()
        width, batch_norm = config["width"], config["batch_norm"]
        self.stem = nn.Sequential(
            nn.Conv2d(1, width, 3, padding=1),
            nn.BatchNorm2d(width) if batch_norm else nn.Identity(),
            nn.ReLU(),
        )
        self.pool = nn.MaxPool2d(2)
        self.block = Block(width, batch_norm, config["residual"])
        self.dropout = nn.Dropout(config["dropout"])
        self.head = nn.Linear(width * 16, 10)
        self.auxiliary_head = nn.Linear(width * 16, 10)

    def forward(self, images):
        early = self.pool(self.stem(images))
        late = self.block(early)
        return self.head(self.dropout(late.flatten(1))), self.auxiliary_head(early.flatten(1))


def learning_rate_factor(config, progress):
    """The share of the learning rate that the schedule leaves when `progress`, from 0 to 1, of the training is done."""
    if config["schedule"] == "cosine":
        return 0.5 + 0.5 * math.cos(math.pi * progress)
    if config["schedule"] == "linear":
        return 1 - progress
    return 1.0


def build_model(config):
    return DigitNet(config).to(config["device"])


def train(model, config, seed):
    torch.manual_seed(seed)
    images, labels = load_split(config, "train")
    optimizer = torch.optim.SGD(
        model.parameters(),
        lr=config["learning_rate"],
        momentum=config["momentum"],
        nesterov=config["momentum"] > 0,
        weight_decay=config["weight_decay"],
    )
    steps = config["epochs"] * math.ceil(len(images) / config["batch_size"])
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: learning_rate_factor(config, step / steps))
    model.train()
    for _ in range(config["epochs"]):
        for batch in torch.randperm(len(images), device=images.device).split(config["batch_size"]):
            inputs = shift_randomly(images[batch]) if config["random_shift"] else images[batch]
            logits, early_logits = model(inputs)
            loss = F.cross_entropy(logits, labels[batch], label_smoothing=config["label_smoothing"])
            loss = loss + config["auxiliary_weight"] * F.cross_entropy(early_logits, labels[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            scheduler.step()


@torch.no_grad()
def evaluate(model, config, split="validation"):
    """Accuracy and cross-entropy, and what the model made of every image."""
    model.eval()
    images, labels = load_split(config, split)
    logits, _ = model(images)
    predictions = logits.argmax(1)
    hits = (predictions == labels).float()
    return {
        "accuracy": hits.mean().item(),
        "loss": F.cross_entropy(logits, labels).item(),
        "examples": {"accuracy": hits.tolist(), "target": labels.tolist(), "prediction": predictions.tolist()},
    }
