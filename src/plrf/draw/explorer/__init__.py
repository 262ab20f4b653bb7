"""The explorer's page: a point (alpha, beta) is chosen, and its exact curves are seen."""
