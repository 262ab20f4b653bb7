"""The theory: phases and exponents, the named parts of the loss and their limits."""
