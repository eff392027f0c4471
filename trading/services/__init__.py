"""Every write of the trading desk. Entry points (admin, API, pages, tasks, commands, the stream worker) call these."""
