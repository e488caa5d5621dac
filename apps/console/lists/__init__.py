"""Lists: what they are read from, what narrows them, and what can be done to the rows chosen in one."""
