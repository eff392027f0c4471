"""The candle store: immutable Parquet files in Django's storage, one for each calendar year of a series, behind rows.

`CandleChunk` rows say which files hold now. A write makes new files, swaps the rows in one transaction and only then deletes the
old files: readers see the old candles or the new ones, a crash leaves at most files without a row, which the next write clears.
"""

from market.candles.codec import fingerprint_candles
from market.candles.reading import load_candles
from market.candles.writing import delete_series, sweep_orphans, write_candles

__all__ = ["delete_series", "fingerprint_candles", "load_candles", "sweep_orphans", "write_candles"]
