"""Where the work is done: threads, processes, clusters; and the limits of a fit."""
