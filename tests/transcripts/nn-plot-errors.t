Slips of the pen are told of before anything is read.

  $ nn-plot -o x.gif 2>&1 | head -1
  nn-plot: 'x.gif': .png, .svg or .txt is expected, or --format
  $ nn-plot --size 5x5 2>&1 | head -1
  nn-plot: option '--size': '5x5' is not WIDTHxHEIGHT, each from 64 to 10000
  $ nn-plot --smooth 0 2>&1 | head -1
  nn-plot: option '--smooth': '0' is not a number of values, from 1
  $ nn-plot --ymin 2 --ymax 1 2>&1 | head -1
  nn-plot: --ymin must be less than --ymax
  $ nn-plot --log --ymin -1 2>&1 | head -1
  nn-plot: a logarithmic axis has positive ends only
  $ nn-plot --format bmp 2>&1 | head -1
  nn-plot: option '--format': 'bmp' is not png, svg or text
  $ nn-plot --lgo 2>&1 | head -1
  nn-plot: unknown option '--lgo'
  $ nn-plot -p '{' x.log 2>&1 | head -1
  nn-plot: --pattern: pattern '{', column 1: '{' without '}' (a brace itself is '{{')

Nothing there.

  $ nn-plot none.log
  nn-plot: cannot read none.log: No such file or directory
  [2]
  $ nn-plot 17 2>&1 | sed "s,$PWD,.,"
  nn-plot: ./spool: there is no spool here (make one with 'nn-queue init')
  $ mkdir -p spool/runs/1 spool/done && echo 1 > spool/version && touch spool/done/0000001.1
  $ echo '{"argv":["x"],"cwd"' > spool/runs/1/job.json
  $ nn-plot 1
  nn-plot: there is nothing to plot yet
  [1]
  $ nn-plot 2
  nn-plot: there is no run 2
  [2]
  $ nn-plot - < /dev/null
  nn-plot: there is nothing to plot yet
  [1]
  $ : > empty.csv; nn-plot empty.csv -o x.png; ls
  nn-plot: there is nothing to plot yet
  empty.csv
  spool

A damaged job.json and torn lines do not hide the curve; names that nothing has are told with those there are.

  $ printf '{"t":"2026-11-22T23:00:01.000Z","epoch":1,"cost":3}\nrubbish\n{"t":"2026-11-22T23:00:02.000Z","epoch":2,"cost":1}\n{"t":"2026' > spool/runs/1/history.jsonl
  $ nn-plot 1 --height 8 --width 30
  1
  cost
    │⠑⠒⠒⠤⠤⢄⣀⣀⡀
   2┤        ⠈⠉⠉⠒⠒⠢⠤⠤⣀⣀⡀
    │                  ⠈⠉⠉⠑⠒⠒⠤⠤⢄
    └┬─────────────────────────┬
     1                         2
                epoch
  $ nn-plot -y csot 1
  nn-plot: there is no 'csot' here (did you mean 'cost'?); there are: cost
  [2]
  $ nn-plot -x wall 1
  nn-plot: no values of cost along wall
  [1]
  $ printf 'epoch,x\n1,-1\n2,nan\n' > negative.csv; nn-plot --log negative.csv
  nn-plot: no value of x is a positive number, as --log needs
  [1]

Text of others is harmless, in the terminal and in SVG.

  $ printf 'epoch,<a\033[31m&b>\n1,2\n2,3\n' > 'evil<&>.csv'; nn-plot 'evil<&>.csv' --height 8 --width 40
  evil<&>.csv
  <a\x1b[31m&b>
   3┤                         ⢀⣀⣀⣀⡠⠤⠤⠤⠒⠒⠒⠊
    │           ⢀⣀⣀⣀⠤⠤⠤⠔⠒⠒⠒⠉⠉⠉⠁
   2┤⡠⠤⠤⠤⠒⠒⠒⠊⠉⠉⠉⠁
    └┬───────────────────────────────────┬
     1                                   2
                     epoch
  $ nn-plot 'evil<&>.csv' --format svg | grep -c '<a\|&b'
  0
  [1]

Outputs that fail.

  $ nn-plot negative.csv > /dev/full
  nn-plot: cannot write standard output: No space left on device
  [2]
  $ nn-plot negative.csv --format png > /dev/full
  nn-plot: cannot write standard output: No space left on device
  [2]
  $ nn-plot negative.csv -o /dev/full --format svg
  nn-plot: cannot write /dev/full: No space left on device
  [2]
  $ nn-plot negative.csv -o none/x.png
  nn-plot: cannot write none/x.png: No such file or directory
  [2]
  $ nn-plot negative.csv | head -1
  negative.csv
