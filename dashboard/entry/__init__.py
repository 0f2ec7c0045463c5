"""The command's way in: a package of a name of its own, which other files on the path do not hide."""
