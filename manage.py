#!/usr/bin/env python
"""Quarterdeck's command line. Without DATABASE_URL, commands use (or start) the embedded services under var/."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from config.embedded import services_for_command

    with services_for_command(sys.argv[1:]):
        from django.core.management import execute_from_command_line

        execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
