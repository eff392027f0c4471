"""Pages of the running desk: its value, what the bots do and why, and the decisions left to people."""
