"""The candle store: immutable Parquet files in Django's storage, one for each calendar year of a series, behind rows.

`CandleChunk` rows say which files hold now. A write makes new files, swaps the rows in one transaction and only then deletes the
old files: readers see the old candles or the new ones, a crash leaves at most files without a row, which the next write clears.
"""

from market.candles.codec import fingerprint
from market.candles.reading import load
from market.candles.writing import delete, sweep, write

__all__ = ["delete", "fingerprint", "load", "sweep", "write"]
