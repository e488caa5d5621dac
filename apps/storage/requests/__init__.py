"""How questions and changes become requests, and answers become entities again."""
