"""What is typed about plans and into assessments."""
