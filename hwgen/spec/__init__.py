"""Facts and formats that software and hardware must agree on."""
