"""A host for a chip with few pins: it loads a program, sends images, and reads answers.

    from hwgen.host import Host, serial_line

    host = Host(serial_line("/dev/ttyUSB0", baud=115200), "dbpim/tiny")
    host.load("digits_small_cnn")
    print(host.run(images)["head"], host.cycles)

Stable: the names in `__all__`, their parameters and what they return.
"""

from hwgen.host.host import Host
from hwgen.host.lines import Line, Port, SpiLine, UartLine, serial_line
from hwgen.host.simulated import simulated_line

__all__ = ["Host", "Line", "Port", "SpiLine", "UartLine", "serial_line", "simulated_line"]
