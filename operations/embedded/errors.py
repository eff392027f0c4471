class CannotStart(Exception):
    """Something stands in the way of a start. The message says what, and what to do about it."""
