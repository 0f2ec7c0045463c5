"""From runs to predictions: laws, fits with their bootstrap draws, and plans."""
