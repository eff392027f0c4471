"""What every room stands on: errors, fields, times, text, events, pushes. Imports none of them."""
