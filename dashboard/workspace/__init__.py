"""What a person keeps: a folder of files and decisions on disk, with its history."""
