"""The installation as people run it: services, supervisor, health, state, metrics. Nobody imports it but the wiring."""
