"""Events that cost energy: the simulation counts them, the model predicts them."""

EVENTS = {
    "conversions": "samples that ADCs take",
    "crossbar_reads": "crossbars that multiply in a bit step",
    "port_reads": "words read from scratchpads",
    "port_writes": "words written to scratchpads, whole or in part",
    "flit_hops": "flits on links between routers, one for each link",
}
"""Meaning of each, in the order in which the host counts them."""
