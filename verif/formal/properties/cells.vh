  // What a cell adds to its weight: a digit at 2 * index + q, negative or not; 0 if it is not enabled.
  function signed [15:0] digit_of(input enable, input q, input negative, input [1:0] index);
    digit_of = !enable ? 0 : negative ? -(16'd1 << {index, q}) : 16'd1 << {index, q};
  endfunction

  // What the negative digits of two cells come to, without a sign. Cells at one position are one digit.
  function signed [15:0] negative_of(
    input signed [15:0] first, input signed [15:0] second
  );
    if (first == second || first == -second)
      negative_of = first + second < 0 ? -(first + second) : 0;
    else
      negative_of = (first < 0 ? -first : 0) + (second < 0 ? -second : 0);
  endfunction
