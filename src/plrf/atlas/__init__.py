"""When asymptotic exponents become true over the plane, and what finite experiments measure."""
