"""A small question, the record it wants, and a good answer."""

from lesion.agent.llm.client import Message
from pydantic import BaseModel, ConfigDict, Field


class Item(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str = Field(max_length=20)
    size: float


class Items(BaseModel):
    model_config = ConfigDict(extra="forbid")
    items: list[Item]


GOOD = '{"items": [{"name": "dropout", "size": 0.5}, {"name": "norm", "size": 2}]}'
QUESTION = [Message("system", "You plan."), Message("user", "Name two items.")]
