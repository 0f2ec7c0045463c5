"""`python -m isoflop`."""

from isoflop import main

main()
