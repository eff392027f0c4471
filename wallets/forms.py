"""Forms of the admin. The services make the rows; forms only read, and show the refusal of a service at its field."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, TypeVar

from django import forms
from django.db.models import Model

from core.errors import Invalid
from core.generics import ModelForm
from wallets.chains.registry import CHAINS
from wallets.models import ChainEndpoint, CostRule, ExchangeAccount, Reporting, ToldCost, Wallet
from wallets.services import accounts, lots, reporting, wallets, watches

AnyRow = TypeVar("AnyRow", bound=Model)


class WriteOnly(forms.Textarea):
    """A field whose input is never shown again, not even beside an error. It has more than one line, because a key in PEM has."""

    def __init__(self, rows: int) -> None:
        super().__init__({"rows": rows, "cols": 60, "autocomplete": "off", "spellcheck": "false"})

    def format_value(self, value: Any) -> None:
        return None


class ServiceForm(ModelForm[AnyRow]):
    """Checked by a service, not by the model."""

    written_in: ClassVar[dict[str, str]] = {}
    """By the service's name of a field, the form's where that is another."""

    def check_by(self, reader: Callable[..., Any], **given: Any) -> None:
        try:
            reader(**given)
        except Invalid as error:
            for field, texts in error.fields.items():
                # Faults below a field, such as opening.USDT, are shown at the field.
                at = self.written_in.get(field, field.partition(".")[0])
                for text in texts:
                    self.add_error(at if at in self.fields else None, text if "." not in field else f"{field}: {text}")

    def _post_clean(self) -> None:
        """Leaves out the model's own checks, which are for rows."""


class AccountForm(ServiceForm[ExchangeAccount]):
    written_in = {"api_key": "new_api_key", "secret": "new_secret"}
    new_api_key = forms.CharField(label="New API key", required=False, widget=WriteOnly(1), help_text="Empty: stays as it is.")
    new_secret = forms.CharField(
        label="New secret",
        required=False,
        widget=WriteOnly(5),
        help_text="With a key only. It is sealed at once and never shown again. Empty: stays as it is.",
    )

    class Meta:
        model = ExchangeAccount
        fields = ["name", "venue", "environment", "rest", "ws", "ws_api", "ws_user"]
        labels = {"rest": "REST API", "ws": "Market streams", "ws_api": "WebSocket API", "ws_user": "User stream"}

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if not self.errors:
            known = self.instance if self.instance.pk else None
            environment = known.environment if known else cleaned["environment"]
            venue = known.venue if known else cleaned["venue"]
            addresses = {field: cleaned[field] for field in accounts.ADDRESSES}
            self.check_by(accounts.account_read, name=cleaned["name"], environment=environment, addresses=addresses, account=known)
            if known is None:
                self.check_by(accounts.venue_read, venue=venue, environment=environment)
            else:
                again = {"addresses": addresses, "secret": cleaned["new_secret"]}
                self.check_by(accounts.secret_again_check, account=known, **again)
            if cleaned["new_api_key"] or cleaned["new_secret"]:
                self.check_by(accounts.key_read, venue=venue, api_key=cleaned["new_api_key"], secret=cleaned["new_secret"])
        return cleaned


class EndpointForm(ServiceForm[ChainEndpoint]):
    """A node for a chain."""

    chain = forms.ChoiceField(choices=[(one.key, one.title) for one in CHAINS.values()])
    url = forms.CharField(
        label="Address",
        widget=WriteOnly(2),
        help_text="It is sealed at once and never shown again, because it may hold a key. A node learns which addresses you watch.",
    )

    class Meta:
        model = ChainEndpoint
        fields = ["chain", "position", "enabled"]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if not self.errors:
            self.check_by(watches.endpoint_read, chain=cleaned["chain"], url=cleaned["url"])
        return cleaned


class WalletForm(ServiceForm[Wallet]):
    """A new wallet."""

    venue = forms.CharField(
        required=False, max_length=32, help_text="Of a paper wallet: whose prices it trades at, such as binance."
    )
    opening = forms.CharField(
        required=False,
        widget=forms.Textarea({"rows": 3, "cols": 40}),
        help_text="Of a paper wallet: what it begins with, one asset a line, such as: USDT 10000",
    )

    class Meta:
        model = Wallet
        fields = ["name", "kind", "venue", "account", "quote", "maker", "taker"]

    def clean_opening(self) -> dict[str, str]:
        amounts: dict[str, str] = {}
        for line in self.cleaned_data["opening"].splitlines():
            asset, _, amount = line.strip().partition(" ")
            if asset in amounts:
                raise forms.ValidationError(f"{asset} is there twice.")
            if asset:
                amounts[asset] = amount.strip() or "nothing"
        return amounts

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if not self.errors:
            self.check_by(wallets.wallet_read, **cleaned)
        return cleaned


class ReportingForm(ServiceForm[Reporting]):
    class Meta:
        model = Reporting
        fields = ("currency",)

    def clean(self) -> None:
        self.check_by(reporting.reporting_currency_read, currency=self.cleaned_data.get("currency", ""))


class CostRuleForm(ServiceForm[CostRule]):
    class Meta:
        model = CostRule
        fields = ("since", "method", "scope", "time_zone")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if not self.errors:
            self.check_by(lots.cost_rule_read, **cleaned)
        return cleaned


class ToldCostForm(ServiceForm[ToldCost]):
    """Many at once: a line for each lot."""

    wallet = forms.ModelChoiceField(Wallet.objects.exclude(kind=Wallet.Kind.REPLAY))
    rows = forms.CharField(
        widget=forms.Textarea({"rows": 12, "cols": 80}),
        help_text=f"CSV that begins with the line {','.join(lots.COLUMNS)}. The transaction is the number of a deposit or an "
        "opening in the wallet’s ledger; the basis is what all of the quantity cost, in the reporting currency.",
    )

    class Meta:
        model = ToldCost
        fields = ()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if not self.errors:
            self.check_by(lots.told_costs_read, wallet=cleaned["wallet"], text=cleaned["rows"])
        return cleaned
