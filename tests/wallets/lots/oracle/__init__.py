"""beancount as an oracle: what it books by FIFO, LIFO and HIFO beside what we do."""
