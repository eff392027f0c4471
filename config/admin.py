"""The admin site: the cockpit, in the desk's own frame."""

from __future__ import annotations

from django.contrib import admin


class QuarterdeckAdminSite(admin.AdminSite):
    site_header = site_title = "Quarterdeck"
    index_title = "Desk"
