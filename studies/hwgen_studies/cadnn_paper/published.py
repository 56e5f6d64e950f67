"""What the seed prints: accuracies of tables I to IV, and the figures of section V."""

WIDTHS = (1.0, 0.75, 0.5, 0.25)
"""Of tables I to III, the widest first."""

TABLE_I = {
    "S-NN, full precision": (89.8, 88.4, 85.6, 79.5),
    "CA-DNN, full precision": (91.1, 90.2, 87.5, 81.0),
    "CA-DNN, 16-bit": (91.0, 89.8, 87.0, 80.7),
    "CA-DNN, 8-bit": (91.1, 89.8, 86.9, 80.6),
}
"""ResNet20 on CIFAR-10, accuracy in percent by width."""

TABLE_II = {
    "I-NN": (76.1, 74.7, 72.0, 63.8),
    "S-NN": (76.0, 74.9, 72.1, 65.0),
    "CA-DNN": (76.6, 75.4, 72.4, 65.2),
}
"""ResNet50 on ImageNet, accuracy in percent by width."""

TABLE_II_PARAMETERS = (25.56, 14.77, 6.92, 1.99)
"""Parameters of ResNet50 by width, in millions."""

TABLE_III = {
    "ResNet20": (91.1, 90.2, 87.5, 81.0),
    "ResNet32": (91.4, 90.7, 88.6, 82.9),
    "ResNet44": (91.9, 91.2, 88.7, 82.5),
}
"""ResNet20 on CIFAR-10 by teacher, full precision, accuracy in percent by width."""

TABLE_IV = {
    1.0: 91.0,
    0.85: 90.1,
    0.75: 90.1,
    0.65: 88.7,
    0.55: 87.1,
    0.45: 85.9,
    0.35: 82.3,
    0.25: 81.0,
}
"""ResNet20 on CIFAR-10 trained with eight widths, full precision, accuracy in percent by width."""

ENERGY_RATIO = 2.7
"""Energy of 1.0x over that of 0.25x (section V-B)."""
MEMORY_RATIO = 10.6
"""Memory of the 32-bit network over that of 8 bits and 0.5x (section V-C)."""
ACCURACY_DROP = -4.2
"""Percentage points that the same network loses (section V-C)."""
AREA_OVERHEAD = 7.9
"""Percent of the memory die: sense amplifiers, row decoder, controller with shifter and counter."""
