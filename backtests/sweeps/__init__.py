"""Parameter sweeps: configuration (`config`), work (`services`, `work`), results (`selectors`, `summary`)."""
