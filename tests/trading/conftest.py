from tests.backtests.fixtures import storage_folder

__all__ = ["storage_folder"]
