"""``python -m evp``: the command line."""

from evp.cli import main

main()
