"""Engines that decide a claim's obligations; each answers True, False, or None when it cannot tell."""
