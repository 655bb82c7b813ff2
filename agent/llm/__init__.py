"""The language model: one small client for any server that speaks OpenAI's Chat Completions."""
