from tests.backtests.fixtures import ada, api, candles, execute, hold, run, storage_folder, strategies, vic

__all__ = ["ada", "api", "candles", "execute", "hold", "run", "storage_folder", "strategies", "vic"]
