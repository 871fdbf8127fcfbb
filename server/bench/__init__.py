"""`python -m server bench`: what a request costs, beside the least that it could cost."""
