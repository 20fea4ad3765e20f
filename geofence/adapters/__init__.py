"""In: a site folder on disk. Out: a `Site`. Never: a rule; everything else in this stage touches no disk."""
