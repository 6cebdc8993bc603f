"""Which search to take, by nine rules and a few facts."""
