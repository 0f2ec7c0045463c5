"""How a law is fitted to arrays: data, initial values, parametrization, Huber loss, prior, and the solver itself."""
