"""Cost basis: lots of what was acquired, and the disposals that take them, by FIFO, LIFO, HIFO or average cost."""
