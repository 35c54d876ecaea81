"""What every page shares: error pages, headers, limits, kept forms, files, and whether the shop is up."""
