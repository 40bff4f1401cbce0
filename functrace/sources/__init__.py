"""``inject`` and ``strip`` over source trees of any supported language."""
