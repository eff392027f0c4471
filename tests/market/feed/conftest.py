from tests.market.exchanges.conftest import desk, impatient, redis, sandbox

__all__ = ["desk", "impatient", "redis", "sandbox"]
