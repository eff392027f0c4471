from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps
from django.contrib.staticfiles.apps import StaticFilesConfig


class ConfigConfig(AppConfig):
    """The wiring, as an app for the sake of its commands."""

    name = "config"
    default = True


class QuarterdeckAdminConfig(admin_apps.AdminConfig):
    """Django's admin with our site: the desk's state on its home page."""

    default = False
    default_site = "config.admin.QuarterdeckAdminSite"


class QuarterdeckStaticFilesConfig(StaticFilesConfig):
    """Without what no page of ours uses, so that a first start does not compress it."""

    default = False
    ignore_patterns = [*StaticFilesConfig.ignore_patterns, "*.py", "__pycache__", "rest_framework", "redoc"]
