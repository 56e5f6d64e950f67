"""MLPerf Tiny: published int8 networks against LiteRT, and on a chip."""
