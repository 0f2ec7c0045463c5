"""The server around the page: launch, headers, files offered for download."""
