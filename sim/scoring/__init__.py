"""How well the product saw the street: incidents against true ones, boxes against drawn ones.

In:  lines of the truth and of the product.
Out: figures, tables, JSON.
Never: the product's own code.
"""
