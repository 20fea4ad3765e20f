"""`python -m gateway` is the console script `street721`; children of the demo are started this way."""

from gateway.adapters.children import die_with_parent
from gateway.cli import main

die_with_parent()
main()
