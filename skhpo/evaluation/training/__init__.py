"""Train a bit more, from a given state, with given parameters."""
