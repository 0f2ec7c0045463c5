"""`python -m dashboard` does what the `isoflop` command does."""

from dashboard.entry.isoflop import main

if __name__ == "__main__":
    main()
