// The other end of a line: it does on pins what it reads from stdin, and says on stdout what came.
// Simulated time stands still while nothing is asked for.
//
// The line `// insert: chip` is replaced: the chip, and CHIP_SPI, 1 for SPI and 0 for an UART.
//
// What it reads, a line each, numbers in hexadecimal:
//   w HH       UART: sends a byte; SPI: exchanges one, and says the one that came
//   r CYCLES   UART: says the next byte that came, or `-` after so many cycles without one
//   c LEVEL    SPI: chip select
//   p CYCLES   lets time pass
//   d 0        UART: forgets what came
// It ends with stdin.
//   +bit_cycles=D   clock cycles of a bit of the UART; SPI: of half a period of SCK

module line;
  localparam integer STDIN = 32'h8000_0000, STDOUT = 32'h8000_0001;
  localparam integer QUEUE = 1 << 17;

  reg clk = 0, rst = 1;
  always #5 clk = ~clk;

  reg rx = 1, sck = 0, cs_n = 1, mosi = 0;
  wire tx, miso;
  // insert: chip

  integer bit_cycles = 4;

  // What the chip sends over an UART: the middle of each bit.
  reg [7:0] queue[0:QUEUE-1];
  integer first = 0, behind = 0, place;
  reg [7:0] taken;
  initial begin
    wait (!rst);
    forever begin
      @(posedge clk);
      if (!CHIP_SPI && !tx) begin
        repeat (bit_cycles + bit_cycles / 2) @(posedge clk);
        for (place = 0; place < 8; place = place + 1) begin
          taken[place] = tx;
          repeat (bit_cycles) @(posedge clk);
        end
        if (tx) begin
          queue[behind%QUEUE] = taken;
          behind = behind + 1;
        end
      end
    end
  end

  task send(input [7:0] what);
    integer number;
    begin
      rx = 0;
      repeat (bit_cycles) @(negedge clk);
      for (number = 0; number < 8; number = number + 1) begin
        rx = what[number];
        repeat (bit_cycles) @(negedge clk);
      end
      rx = 1;
      repeat (bit_cycles) @(negedge clk);
    end
  endtask

  task exchange(input [7:0] what);
    integer number;
    reg [7:0] came;
    begin
      for (number = 7; number >= 0; number = number - 1) begin
        mosi = what[number];
        repeat (bit_cycles) @(negedge clk);
        sck = 1;
        came[number] = miso;
        repeat (bit_cycles) @(negedge clk);
        sck = 0;
      end
      $fwrite(STDOUT, "%h\n", came);
    end
  endtask

  task await_byte(input [31:0] cycles);
    integer waited;
    begin
      waited = 0;
      while (first == behind && waited < cycles) begin
        @(negedge clk);
        waited = waited + 1;
      end
      if (first == behind) $fwrite(STDOUT, "-\n");
      else begin
        $fwrite(STDOUT, "%h\n", queue[first%QUEUE]);
        first = first + 1;
      end
    end
  endtask

  integer fields;
  reg [7:0] operation;
  reg [31:0] value;
  initial begin
    if (!$value$plusargs("bit_cycles=%d", bit_cycles)) bit_cycles = 4;
    repeat (4) @(negedge clk);
    rst = 0;
    repeat (4) @(negedge clk);
    fields = 2;
    while (fields == 2) begin
      fields = $fscanf(STDIN, "%s %h", operation, value);
      if (fields == 2)
        case (operation)
          "w": if (CHIP_SPI) exchange(value[7:0]); else send(value[7:0]);
          "r": await_byte(value);
          "c": begin
            cs_n = value[0];
            repeat (4 * bit_cycles) @(negedge clk);
          end
          "d": first = behind;
          default: repeat (value) @(negedge clk);
        endcase
      $fflush(STDOUT);
    end
    $finish;
  end
endmodule
