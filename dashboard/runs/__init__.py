"""The Runs page: choosing data, mapping columns, setting runs aside."""
