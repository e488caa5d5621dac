"""What the API of plans and of assessments says and takes."""
