from tests.backtests.fixtures import ada, api, vic
from tests.live.fixtures import rows

__all__ = ["ada", "api", "rows", "vic"]
