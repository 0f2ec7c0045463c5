"""`python -m dashboard` does what the `isoflop` command does."""

from dashboard.cli import main

if __name__ == "__main__":
    main()
