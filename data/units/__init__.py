"""Units people count in, the factor each column's values carry, and what is plausible."""
