"""What people touch: pages, the dragged chart and the command line."""
