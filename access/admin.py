"""API tokens and the audit in the admin. Tokens are seen and revoked there, but not made or changed, because a secret must not pass
through a page."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from access import services
from access.models import ApiToken, AuditEntry, ObjectLimit
from core.generics import ModelAdmin


@admin.register(ApiToken)
class ApiTokenAdmin(ModelAdmin[ApiToken]):
    list_display = ["hint", "user", "scope_names", "created_at", "expires_at", "last_used_at", "revoked_at"]
    list_filter = ["revoked_at", "expires_at"]
    list_select_related = ["user"]
    search_fields = ["hint", "user__username"]
    readonly_fields = ["hint", "user", "scope_names", "created_at", "expires_at", "last_used_at", "revoked_at"]
    exclude = ["digest", "scopes"]
    actions = ["revoke"]

    @admin.display(description="scopes")
    def scope_names(self, token: ApiToken) -> str:
        return ", ".join(token.scopes)

    @admin.action(description="Revoke: the selected tokens stop working at once", permissions=["change"])
    def revoke(self, request: HttpRequest, tokens: QuerySet[ApiToken]) -> None:
        for token in tokens:
            services.token_revoke(token=token, by=request.user)
        self.message_user(request, f"Revoked {len(tokens)}.")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(ObjectLimit)
class ObjectLimitAdmin(ModelAdmin[ObjectLimit]):
    """What people are limited to. A limit is made or deleted, not changed."""

    list_display = ["person", "kind", "key"]
    list_filter = ["kind", "person"]
    list_select_related = ["person"]
    search_fields = ["person__username", "key"]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: ObjectLimit, form: Any, change: bool) -> None:
        made = services.limit_add(person=obj.person, kind=obj.kind, key=obj.key, by=request.user)
        obj.pk = made.pk

    def delete_model(self, request: HttpRequest, obj: ObjectLimit) -> None:
        services.limit_remove(limit=obj, by=request.user)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[ObjectLimit]) -> None:
        for limit in queryset:
            services.limit_remove(limit=limit, by=request.user)


@admin.register(AuditEntry)
class AuditEntryAdmin(ModelAdmin[AuditEntry]):
    """For reading: who did what."""

    list_display = ["ts", "who", "act", "about", "token"]
    list_filter = ["act", "ts"]
    search_fields = ["who", "about", "token"]
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
