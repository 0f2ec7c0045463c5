"""From a fitted law and a budget to size, tokens, time, memory and money, each with its interval."""
