"""Which search to take, by eight rules and a few facts."""
