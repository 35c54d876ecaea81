"""The practice and its offers as one TOML file, by which an owner reads and edits them; `flask practice`."""
