"""What the names of files, folders and runs say: gpt-125M-bs256, step_1000."""
