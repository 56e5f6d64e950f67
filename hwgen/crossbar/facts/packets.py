"""The header of every packet on the links."""

HEADER_FIELDS = (("travel", 10), ("count", 20), ("target", 8), ("index", 26))
"""travel: number of a travel, or of the load of a macro (`routes.load_number`)
count: elements that follow, of a load: flits
target, index: of a load, what is written and where; else 0"""
