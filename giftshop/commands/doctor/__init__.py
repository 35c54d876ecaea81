"""`flask doctor`: everything a live shop needs, asked one by one of whoever knows it, a line and advice for each."""
