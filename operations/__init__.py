"""The installation as people run it: services and supervisor, health, state, metrics. It watches everything, and nobody imports it.
The installation as people run it: services and supervisor, health, state, metrics. It watches everything, and nobody imports it."""
