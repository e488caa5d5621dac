"""Plans and assessments as pages show them."""
