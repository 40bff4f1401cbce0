"""Parts of the billing service."""
