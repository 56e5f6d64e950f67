"""What is known of the files of CIFAR-10 and CIFAR-100."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

TRAIN_FILES = 5
"""Mosaics of the training images; the test images are one."""


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What is known of the files of one data set; tests describe smaller ones.

    tiles: rows and columns of a mosaic; a file holds tiles ** 2 images
    binary_files: of the binary layout, by part, in order; they hold equally many records
    label_bytes: of a record of the binary layout; the last one is the label
    sha256: by layout and part, over the images (uint8, NHWC), and over the labels (uint8)
    unknown: images left out of the sum of the binary layout, by part
    """

    name: str
    class_names: tuple[str, ...]
    tiles: int
    binary_files: Mapping[str, tuple[str, ...]]
    label_bytes: int
    sha256: Mapping[str, str]
    unknown: Mapping[str, tuple[int, ...]]

    @property
    def mosaic_files(self) -> dict[str, tuple[str, ...]]:
        """Files of the mosaic layout, by part."""
        train = tuple(f"train_{number}.webp" for number in range(TRAIN_FILES))
        return {"train": train, "test": ("test.webp",)}

    def records(self, part: str) -> int:
        """Return the records of one binary file of a part."""
        images = len(self.mosaic_files[part]) * self.tiles**2
        return images // len(self.binary_files[part])


# fmt: off
UNKNOWN_TRAIN = (
    4298, 5949, 7066, 7237, 7248, 7630, 8006, 8831, 8968, 9415, 10336, 10408, 12762, 12834,
    13546, 21493, 25728, 26098, 26927, 27621, 28435, 28728, 29694, 29747, 30329, 31066, 31367,
    31462, 31625, 31663, 32777, 33641, 33661, 34067, 34276, 34387, 34825, 35160, 35646, 36733,
    37329, 37474, 37567, 38384, 38925, 39358, 39385, 39613, 39840, 39888, 39971, 40805, 41779,
    42004, 42389, 42611, 43357, 43883, 44882, 45168, 45240, 46175, 46435, 46538, 46624, 47393,
    47597, 48081, 48124, 48333, 48821, 48836, 49321, 49429, 49631, 49830, 49857,
)
UNKNOWN_TEST = (
    722, 1259, 1369, 1422, 2245, 2737, 2935, 3695, 3718, 4085, 4496, 5791, 5896, 6286, 7580,
    7707, 7724, 7832, 8117, 8551, 9254,
)
# fmt: on

# Of 98 images the mosaics hold a decoded JPEG instead of the official bytes. The sums of the
# binary layout therefore leave these images out, so that both layouts are checked by what is
# known of them.
CIFAR10 = Facts(
    name="cifar10",
    class_names=(
        "airplane",
        "automobile",
        "bird",
        "cat",
        "deer",
        "dog",
        "frog",
        "horse",
        "ship",
        "truck",
    ),
    tiles=100,
    binary_files=MappingProxyType(
        {
            "train": tuple(f"data_batch_{number}.bin" for number in range(1, TRAIN_FILES + 1)),
            "test": ("test_batch.bin",),
        }
    ),
    label_bytes=1,
    sha256=MappingProxyType(
        {
            "mosaic train": "c7c6557433f8d7c52900e0fc5549bd21bf6f33fefee1f478f5adbc5499bb11c7",
            "mosaic test": "25a508aee148b4ccf689df271258bb61c79db1edd6c7bdc2d32e0f748c0bf68c",
            "binary train": "01189471f27e84a3fe955f9ed0fc8712fb57168f54abdbeb152f93c6e120f418",
            "binary test": "9fa864ecd8e7a8bc5859f0d3e60983bf84cf0ab718b040092bcf82fe2795b2c6",
            "labels train": "2b7cd2f24487317614016b72ffd53071c3062f592f0eb300c18a770d41ae1253",
            "labels test": "cec8a24a1e92aa2ecaa0bbd3dbfa86bf6cd8759fbd209a832824c8cf0afca9d5",
        }
    ),
    unknown=MappingProxyType({"train": UNKNOWN_TRAIN, "test": UNKNOWN_TEST}),
)

# fmt: off
CIFAR100_CLASSES = (
    "apple", "aquarium_fish", "baby", "bear", "beaver", "bed", "bee", "beetle", "bicycle", "bottle",
    "bowl", "boy", "bridge", "bus", "butterfly", "camel", "can", "castle", "caterpillar", "cattle",
    "chair", "chimpanzee", "clock", "cloud", "cockroach", "couch", "crab", "crocodile", "cup",
    "dinosaur", "dolphin", "elephant", "flatfish", "forest", "fox", "girl", "hamster", "house",
    "kangaroo", "keyboard", "lamp", "lawn_mower", "leopard", "lion", "lizard", "lobster", "man",
    "maple_tree", "motorcycle", "mountain", "mouse", "mushroom", "oak_tree", "orange", "orchid",
    "otter", "palm_tree", "pear", "pickup_truck", "pine_tree", "plain", "plate", "poppy",
    "porcupine", "possum", "rabbit", "raccoon", "ray", "road", "rocket", "rose", "sea", "seal",
    "shark", "shrew", "skunk", "skyscraper", "snail", "snake", "spider", "squirrel", "streetcar",
    "sunflower", "sweet_pepper", "table", "tank", "telephone", "television", "tiger", "tractor",
    "train", "trout", "tulip", "turtle", "wardrobe", "whale", "willow_tree", "wolf", "woman",
    "worm",
)
# fmt: on
"""The fine labels; the coarse ones are not used."""
NOTHING_UNKNOWN: Mapping[str, tuple[int, ...]] = MappingProxyType({"train": (), "test": ()})
CIFAR100 = Facts(
    name="cifar100",
    class_names=CIFAR100_CLASSES,
    tiles=100,
    binary_files=MappingProxyType({"train": ("train.bin",), "test": ("test.bin",)}),
    label_bytes=2,
    sha256=MappingProxyType(
        {
            "mosaic train": "4e457917601a66aed021f5fa37957b56c6319557c0a8ed5484de3c390af45430",
            "mosaic test": "4cb8e5d9309da489bf6b19cc10cd96c3ae6f8daf225380b605aaee4c0d6aee19",
            "binary train": "4e457917601a66aed021f5fa37957b56c6319557c0a8ed5484de3c390af45430",
            "binary test": "4cb8e5d9309da489bf6b19cc10cd96c3ae6f8daf225380b605aaee4c0d6aee19",
            "labels train": "9f11b9f97aad759ba6df0a33e3218b01d8deaf4ed3a14aa1185d69b9ad7ebcb3",
            "labels test": "4dad7d09c7c97d33f6cb928d705cf4196221316fd6e31bdd978a08ed9103ee0b",
        }
    ),
    unknown=NOTHING_UNKNOWN,
)
