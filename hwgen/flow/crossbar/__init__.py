"""Pages of the crossbar family: graphs, synthesis, the published figures beside ours."""
