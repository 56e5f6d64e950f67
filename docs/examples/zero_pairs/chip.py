"""Run a command of hwgen on DB-PIM chips whose IPUs skip bit planes in pairs.

    python chip.py run NETWORK ARCH --work FOLDER

In this process alone the generator of macros places the IPU of pairs, and the cycle model charges
what it takes. What is built lies in a folder of its own: an architecture file does not say that
its chip is another one.
"""

import os
import sys
from pathlib import Path

os.environ["HWGEN_BUILD_ROOT"] = str(Path("builds_of_pairs").absolute())

from ipu import PairIpu

from hwgen.cli import main
from hwgen.dbpim.model import activity
from hwgen.dbpim.rtl import macro

macro.Ipu = PairIpu
for planes in range(256):
    pairs = sum((planes >> low & 3) > 0 for low in (0, 2, 4, 6))
    activity.GROUP_PLANES[planes] = max(1, 2 * pairs)
sys.exit(main(sys.argv[1:]))
