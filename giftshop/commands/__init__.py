"""The commands of the shop (`flask …`), each a thin door to a rule."""
