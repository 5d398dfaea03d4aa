"""Triangles, lenses and light: what every picture is drawn with."""
