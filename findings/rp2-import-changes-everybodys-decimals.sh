#!/usr/bin/env bash
# rp2 1.7.2 (Python 3.11): importing it changes the Decimal arithmetic of the whole thread, of code that never calls it.
#
# Seen:     after `import rp2.rp2_decimal` the thread's decimal context has 31 digits in place of 28, and traps FloatOperation:
#           1 / 3 has three digits more, and `Decimal("0.5") < 0.6` raises, where it was True. Other threads have the old
#           context, so the same function answers differently in a worker.
# Expected: a context of its own (decimal.localcontext, or Context objects), as the documentation of the decimal module has it
#           for libraries; an import that changes no sum of anybody else.
# Output:
#   before: 0.3333333333333333333333333333 True
#   after: 0.3333333333333333333333333333333 FloatOperation
#   in another thread: 0.3333333333333333333333333333 True
#
# Way round: import rp2 in a process of its own, or set the context again after the import.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check "rp2==1.7.2"

cd "$folder"
seen=$("$folder/venv/bin/python" - <<'END'
import threading
from decimal import Decimal


def tell(when: str) -> None:
    try:
        same = str(Decimal("0.5") < 0.6)
    except Exception as problem:
        same = type(problem).__name__
    print(f"{when}: {Decimal(1) / 3} {same}")


tell("before")
import rp2.rp2_decimal  # noqa: E402,F401

tell("after")
thread = threading.Thread(target=tell, args=("in another thread",))
thread.start()
thread.join()
END
)
echo "$seen"
expected="before: 0.3333333333333333333333333333 True
after: 0.3333333333333333333333333333333 FloatOperation
in another thread: 0.3333333333333333333333333333 True"
[ "$seen" = "$expected" ] || { echo "The behaviour has changed." >&2; exit 1; }
