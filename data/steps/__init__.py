"""Tables of the steps that a loss took at each batch size, and what tells their groups apart."""
