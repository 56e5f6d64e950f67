"""What documents 001 and 004 print, as the rows need it: from `published.yaml`."""

from hwgen_studies.numbers import value_of, values_of

WIDTHS = (1.0, 0.75, 0.5, 0.25)
"""Of tables I to III, the widest first."""

TABLE_I = {
    "S-NN, full precision": values_of("001.table1.snn"),
    "CA-DNN, full precision": values_of("001.table1.ca"),
    "CA-DNN, 16-bit": values_of("001.table1.ca16"),
    "CA-DNN, 8-bit": values_of("001.table1.ca8"),
}
"""ResNet20 on CIFAR-10, accuracy in percent by width."""

TABLE_II = {
    "I-NN": values_of("001.table2.inn"),
    "S-NN": values_of("001.table2.snn"),
    "CA-DNN": values_of("001.table2.ca"),
}
"""ResNet50 on ImageNet, accuracy in percent by width."""

TABLE_II_PARAMETERS = values_of("001.table2.parameters")
"""Parameters of ResNet50 by width, in millions."""

TABLE_III = {
    "ResNet20": values_of("001.table3.resnet20"),
    "ResNet32": values_of("001.table3.resnet32"),
    "ResNet44": values_of("001.table3.resnet44"),
}
"""ResNet20 on CIFAR-10 by teacher, full precision, accuracy in percent by width."""

EIGHT_WIDTHS = (1.0, 0.85, 0.75, 0.65, 0.55, 0.45, 0.35, 0.25)
TABLE_IV = {width: value_of(f"001.table4.eight.{width}x") for width in EIGHT_WIDTHS}
"""ResNet20 on CIFAR-10 trained with eight widths, full precision, accuracy in percent by width."""

ENERGY_RATIO = value_of("001.text5b.energy")
"""Energy of 1.0x over that of 0.25x (section V-B)."""
MEMORY_RATIO = value_of("001.text5c.memory")
"""Memory of the 32-bit network over that of 8 bits and 0.5x (section V-C)."""
ACCURACY_DROP = -value_of("001.text5c.loss")
"""Percentage points that the same network loses (section V-C)."""
AREA_OVERHEAD = value_of("001.text5d.area")
"""Percent of the memory die: sense amplifiers, row decoder, controller with shifter and counter."""
