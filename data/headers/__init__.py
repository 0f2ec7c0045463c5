"""What the words above a column say: a quantity, its unit, its factor; names of columns, headings, captions."""
