"""Pages of the running desk: what it is worth, what it does, why, and what a person decides."""
