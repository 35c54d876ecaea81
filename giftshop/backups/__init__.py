"""How the books outlive their machine: one file with everything, checked when it comes back."""
