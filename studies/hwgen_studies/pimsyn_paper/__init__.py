"""PIMSYN: the published figures of the crossbar search beside ours."""
