"""functrace: which call chain was this?"""

__version__ = "0.1.0"
