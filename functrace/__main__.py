"""``python -m functrace``."""

from functrace.cli.main import main

main()
