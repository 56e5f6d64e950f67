"""Figures that the paper of DB-PIM (seed 002) prints, with their places.

The bars of Figs. 10 to 13 have no numbers in the text, nor have its sentences about them; only what
the abstract says of them is here.
"""

NETWORKS = ("alexnet", "vgg19", "resnet18", "mobilenetv2", "efficientnetb0")
"""All on CIFAR-100."""
TITLES = {
    "alexnet": "AlexNet",
    "vgg19": "VGG19",
    "resnet18": "ResNet18",
    "resnet20": "ResNet20",
    "mobilenetv2": "MobileNetV2",
    "efficientnetb0": "EfficientNetB0",
}
"""Networks as people write them; `resnet20`, on CIFAR-10, is not in the paper."""

SPEEDUP_BEST = 8.01
"""End to end over the dense baseline, the best network (abstract; Fig. 12)."""
ENERGY_SAVING_BEST_PERCENT = 85.28
"""Over the dense baseline, the best network (abstract; Fig. 12)."""

UTILIZATION_PERCENT = {
    "alexnet": 85.04,
    "vgg19": 86.77,
    "resnet18": 86.29,
    "mobilenetv2": 81.38,
    "efficientnetb0": 78.44,
}
"""Cells in effective computation over cells in use, Eq. 2 (Table II)."""

BIT_LEVEL_MS = {
    "alexnet": 2.88,
    "vgg19": 4.37,
    "resnet18": 4.03,
    "mobilenetv2": 2.34,
    "efficientnetb0": 0.40,
}
"""Time of std/pw-conv and FC layers with bit-level sparsity alone (Table III)."""

HYBRID_MS = {
    "alexnet": 1.69,
    "vgg19": 2.96,
    "resnet18": 2.60,
    "mobilenetv2": 1.64,
    "efficientnetb0": 0.30,
}
"""The same with value-level sparsity of weights as well (Table III)."""

CLOCK_MHZ = 500.0
"""The highest (Table II)."""
PEAK_TOPS = 2.48
"""At 8 bits, of all macros (Table II)."""
PEAK_GOPS_PER_MACRO = 77.5
"""Table II."""
POWER_MW = (28.92, 281.26)
"""At 333 to 500 MHz and 0.72 to 0.80 V, the least and the most (Table II)."""
NAMELESS = 2.37
"""A row of Table II below the peaks; the text has lost its name."""
AREA_MM2 = 2.81
"""At 28 nm (Table II)."""
MEMORY_KB = 384
"""SRAM beside the macros, buffers and register files (Table II)."""
