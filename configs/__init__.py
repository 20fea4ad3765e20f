"""Configuration that ships with the product: data only, read as resources, imported by nobody."""
