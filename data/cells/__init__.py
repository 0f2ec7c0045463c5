"""What stands in a cell, read as a number or a yes or no: 125M, 1.3B, 11%, **3.24 ± 0.01**."""
