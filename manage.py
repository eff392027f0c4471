#!/usr/bin/env python
"""Quarterdeck's command line. Without DATABASE_URL, commands use (or start) the embedded services under var/."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.core.exceptions import ImproperlyConfigured

    from operations.embedded import CannotStart, services_for_command

    try:
        with services_for_command(sys.argv[1:]):
            from django.conf import settings
            from django.core.management import execute_from_command_line

            settings.INSTALLED_APPS  # noqa: B018  (a wrong value in the environment is told here, by name)
            execute_from_command_line(sys.argv)
    except (CannotStart, ImproperlyConfigured) as error:
        sys.exit(f"{error}")
    except KeyboardInterrupt:
        sys.exit("Stopped.")


if __name__ == "__main__":
    main()
