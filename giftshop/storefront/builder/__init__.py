"""The builder: the one form that is filled in to give a massage."""
