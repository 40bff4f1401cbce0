"""Verbs whose options have default values from variables and a settings file."""

from __future__ import annotations

import os
from collections import UserDict
from functools import cached_property
from pathlib import Path
from typing import Any

import click

from functrace import settings


class ConfiguredCommand(click.Command):
    """A command whose options default to the settings for the current folder."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the arguments.

        Raises:
            UsageError: a setting is invalid.
        """
        ctx.default_map = _Settings()
        return super().parse_args(ctx, args)

    def get_help(self, ctx: click.Context) -> str:
        """Return the help, which click would look up default values for."""
        ctx.default_map = None
        return super().get_help(ctx)


class _Settings(UserDict[str, Any]):
    """Settings that are loaded when the first option is looked up."""

    def __init__(self) -> None:
        """Load nothing yet: an invalid setting must not prevent ``--help``."""

    @cached_property
    def data(self) -> dict[str, Any]:  # type: ignore[override]
        return settings.load(Path.cwd(), os.environ)
