"""What every part of the house stands on: pure or thin, imported by all, imports none of them."""
