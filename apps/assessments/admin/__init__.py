"""Plans and assessments in the back office."""
