"""How figures look: style, colours, axes, and what several of them draw."""
