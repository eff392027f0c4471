"""The groups that every desk has, and what they may: data, which administrators can change in the admin. `roles_write` gives back
what is missing and takes nothing away."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

SEEN = {
    "core": ("event",),
    "market": ("instrument", "candleseries", "candlechunk", "candlegap", "candleimport", "venuestream", "feedincident"),
    "wallets": (
        *("wallet", "walletbalance", "ledgertransaction", "ledgerentry", "reporting", "valuesnapshot"),
        *("reconciliationrun", "drift", "movement", "movementleg", "movementcursor", "elsewhereholding", "costrule", "toldcost"),
        *("chainwatch", "chainreading", "chaintoken", "chainholding", "chaintransaction", "chaintransfer"),
    ),
    "trading": (
        *("bot", "botrun", "order", "fill", "position", "riskbudget", "riskallocation", "blockevent"),
        *("equitypoint", "positionsnapshot", "foreignorder", "killswitch", "botday", "walletday"),
    ),
    "backtests": ("backtestrun", "sweep"),
}
TRADES = (
    *("trading.add_bot", "trading.change_bot", "trading.delete_bot", "trading.change_order", "trading.change_foreignorder"),
    *("trading.change_killswitch", "market.add_candleimport", "wallets.add_reconciliationrun", "wallets.change_drift"),
    *(f"backtests.{act}_{model}" for act in ("add", "change", "delete") for model in ("backtestrun", "sweep")),
)
OPERATES = (
    *("market.change_venuestream", "market.delete_candleseries", "trading.add_riskbudget", "trading.change_riskbudget"),
    *("wallets.add_wallet", "wallets.change_wallet"),
)
MANAGES = (
    *(f"wallets.{act}_exchangeaccount" for act in ("view", "add", "change")),
    *(f"wallets.{act}_chainendpoint" for act in ("view", "add", "change", "delete")),
    *(f"auth.{act}_{model}" for act in ("view", "add", "change", "delete") for model in ("user", "group")),
    *("access.view_apitoken", "access.change_apitoken", "access.view_auditentry", "trading.trade_live", "wallets.change_reporting"),
    *("wallets.add_costrule", "wallets.delete_costrule", "wallets.add_toldcost"),
    *(f"access.{act}_objectlimit" for act in ("view", "add", "delete")),
)
LOOKS = tuple(f"{app}.view_{model}" for app, models in SEEN.items() for model in models)
ROLES: dict[str, tuple[str, ...]] = {
    "viewer": LOOKS,
    "trader": (*LOOKS, *TRADES),
    "operator": (*LOOKS, *TRADES, *OPERATES),
    "administrator": (*LOOKS, *TRADES, *OPERATES, *MANAGES),
}
OF_MODEL = {"trade_live": "bot"}
"""Rights whose name does not end in their model's."""


def roles_write(apps: Any) -> None:
    """The four groups with their rights. `apps` is Django's registry, or a migration's. Rights of models that come later, as the
    others do when a desk is made, are written here already; Django then finds them there."""
    permissions = dict(permissions_ensure(apps))
    groups = apps.get_model("auth", "Group").objects
    for name, rights in ROLES.items():
        groups.get_or_create(name=name)[0].permissions.add(*(permissions[right] for right in rights))


def permissions_ensure(apps: Any) -> Iterator[tuple[str, Any]]:
    """Each right of any role with its row."""
    rows, kinds = apps.get_model("auth", "Permission").objects, apps.get_model("contenttypes", "ContentType").objects
    known = {f"{row.content_type.app_label}.{row.codename}": row for row in rows.select_related("content_type")}
    for right in ROLES["administrator"]:
        if right not in known:
            app, name = right.split(".")
            model = OF_MODEL.get(name, name.partition("_")[2])
            kind = kinds.get_or_create(app_label=app, model=model)[0]
            words = "Can let bots trade real money" if right == "trading.trade_live" else f"Can {name.replace('_', ' ')}"
            known[right] = rows.create(content_type=kind, codename=name, name=words)
        yield right, known[right]
