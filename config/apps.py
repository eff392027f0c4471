from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps
from django.contrib.staticfiles.apps import StaticFilesConfig


class ConfigConfig(AppConfig):
    """The wiring, an app only because of its commands."""

    name = "config"
    default = True


class QuarterdeckAdminConfig(admin_apps.AdminConfig):
    """Django's admin with our site, which shows the desk's state on its home page."""

    default = False
    default_site = "config.admin.QuarterdeckAdminSite"


class QuarterdeckStaticFilesConfig(StaticFilesConfig):
    """Leaves out what no page of ours uses, so that the first start does not have to compress it."""

    default = False
    ignore_patterns = [*StaticFilesConfig.ignore_patterns, "*.py", "__pycache__", "rest_framework", "redoc"]
