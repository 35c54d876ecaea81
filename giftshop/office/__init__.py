"""The office: pages for managers and the owner."""
