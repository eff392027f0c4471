from tests.backtests.fixtures import ada, api, vic
from tests.trading.live.fixtures import rows

__all__ = ["ada", "api", "rows", "vic"]
