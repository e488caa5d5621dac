"""Forms: an input for each kind of value, and what becomes of what somebody entered."""
