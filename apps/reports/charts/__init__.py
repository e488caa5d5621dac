"""Charts as SVG, drawn on the server: they follow the theme by their classes, print, and go into the PDF.

Each is a function of plain values that returns the SVG as text. What a chart says is in its `title` and `desc`; a table
with the same numbers stands beside it. Nothing is told by colour alone: one's own view is a ring and a dashed line, the
manager's a dot and a solid one.
"""
