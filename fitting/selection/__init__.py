"""Which law suits a table: the recommendation, a comparison of laws, and the constants that papers published."""
