"""A number with its noun: `1 run`, `41 runs`."""


def plural(number: int, noun: str) -> str:
    """The number with its thousands and the noun, which takes an s unless it is one."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
