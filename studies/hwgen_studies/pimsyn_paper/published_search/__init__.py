"""The published search (seed 003, section IV), as its text says it and as its code does it.

Annealing chooses how often weights are held, an evolutionary search how many macros each layer
gets; components follow in closed form. It is here to be compared with, so nothing is improved.
"""
