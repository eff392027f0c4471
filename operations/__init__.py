"""The installation as people run it: services and supervisor, health, state, metrics. It watches everything; nobody imports it."""
