"""A shop of three modules."""
