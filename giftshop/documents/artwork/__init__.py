"""The drawings: contour lines in seven designs, one of its own for every certificate."""
