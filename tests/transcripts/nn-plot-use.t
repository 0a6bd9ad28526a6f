Curves of runs, told apart by the parameters in which they differ.

  $ mkdir -p spool/runs/1 spool/runs/2 spool/runs/3 spool/done && echo 1 > spool/version
  $ touch spool/done/0000001.1 spool/done/0000002.1 spool/done/0000003.1
  $ job() { echo "{\"argv\":[\"x\"],\"cwd\":\"/\",\"name\":\"rnn\",\"group\":\"grid\",\"params\":{\"act\":\"$1\",\"lr\":$2,\"clip\":5}}"; }
  $ job tanh 0.1 > spool/runs/1/job.json; job relu 0.1 > spool/runs/2/job.json; job relu 0.5 > spool/runs/3/job.json
  $ points() { awk -v a="$1" 'BEGIN { for (e = 1; e <= 40; e++) printf "{\"t\":\"2026-11-22T23:%02d:00.000Z\",\"epoch\":%d,\"train_cost\":%g,\"valid_cost\":%g}\n", e, e, a / e, 2 * a / e + 0.1 }'; }
  $ points 1 > spool/runs/1/history.jsonl; points 4 > spool/runs/2/history.jsonl
  $ points 2 | sed 's/\("epoch":3[0-9],\).*/\1"valid_cost":"NaN"}/' > spool/runs/3/history.jsonl
  $ nn-plot -y valid_cost --log 1-3
  @grid
  valid_cost                                                                 × NaN
      │⡀                                                      ×
      │⠹⡀
     5┤ ⢣
      │⡄⠈⡆
      │⠸⡄⠘⢤
      │ ⢱  ⠣⡀
     2┤⢆ ⢇  ⠘⢄⡀
      │⠘⡄⠈⠱⡀  ⠈⠢⢄
      │ ⢱  ⠑⢄    b⠢⢄⡀
     1┤  ⠣⡀ ⠈⠑⢄     ⠈⠉⠒⠤⣀
      │   ⠉⢆   ⠉⠒⢄⡀      ⠉⠑⠒⠢⠤⣀⣀
      │     ⠱a    ⠈⠑⠢c⣀⡀        ⠉⠙⠒⠢⠤⠤⣀⣀⣀
   0.5┤       ⠑⠢⢄⡀     ⠉⠒⠒⠤⢄⣀⡀           ⠉⠉⠑⠒⠒⠢b⠤⠤⣀⣀⣀⡀
      │          ⠈⠑⠢⠤⣀⡀      ⠈⠉⠑⠒⠲⠤⠤⣀⣀⣀              ⠈⠉⠉⠉⠑⠒⠒⠒⠒⠤⠤⠤⠤⠤⣀⣀⣀⣀⣀⡀
      │               ⠈⠑⠒⠢⠤⢄⣀⣀         ⠉⠉⠉⠒⠒⠒⠢⠤⠤⠤⢄⣀c⣀⣀                  ⠈⠉⠉⠉⠉b⠑⠒⠒b
      │                       ⠉⠉⠑⠒⠒⠤⠤⠤⠤⣀⣀⣀⣀           ⠉⠉⠉⠉⠉⠒⠒
   0.2┤                                    a⠉⠉⠉⠉⠒⠒⠒⠒⠒⠒⠤⠤⠤⠤⠤⠤⠤⢄⣀⣀⣀⣀⣀⣀⣀⣀⣀          c
      │                                                                ⠉⠉a⠉⠉⠉⠉⠉⠉⠉a
      └───────┬─────────┬────────┬─────────┬─────────┬────────┬─────────┬────────┬
              5        10       15        20        25       30        35       40
                                          epoch
  ─a─ act=tanh lr=0.1  ─b─ act=relu lr=0.1  ─c─ act=relu lr=0.5
  $ echo 2 | nn-plot -x time --height 10 --ascii
  2 rnn
  valid_cost
    |a
    | a
   5+  aa
    |    aaaaaaaaaaaa
   0+                aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
    ++--------+---------+---------+---------+---------+---------+---------+-------
     0       5m        10m       15m       20m       25m       30m       35m
                                 time since the start
  $ nn-plot -y '*cost' --smooth 5 --width 60 --height 12 1 --title 'both costs'
  both costs
  train_cost, valid_cost (median of 5)
   2┤⢆
    │ ⢣
    │  ⠳⡀
   1┤⠑⢄ ⠈⠑⠢⣀
    │  ⠉⠢⠤⢄a⠑⠒⠤b⠤⣀⣀⣀⣀⣀⡀
   0┤       ⠉⠉⠑⠒⠒⠒⠒⠒⠒⠒⠚⠫⠭⠭⠭⠭⠭⠭⠭⠭⠭⠭⠭⠭⠭⠭⠭⠭⠽a⠶⠶⠶b⠶⠶⠶⠶⠶⠶⠶⠶⠶⠶⠶⠶⠶⠶⠶a
    └─────┬───────┬──────┬──────┬───────┬──────┬──────┬──────┬
          5      10     15     20      25     30     35     40
                               epoch
  ─a─ train_cost  ─b─ valid_cost

Pictures go into files, or out.

  $ nn-plot -y valid_cost @grid -o curves.png && head -c 8 curves.png | od -An -tx1
   89 50 4e 47 0d 0a 1a 0a
  $ umask 027; nn-plot 1 -o new.svg; nn-plot 1 -o curves.png; chmod 604 new.svg; nn-plot 2 -o new.svg; stat -c '%a %n' *.png *.svg
  644 curves.png
  604 new.svg
  $ nn-plot -y valid_cost @grid --format svg -o - | sed -n 's/.*<title>\(.*\)<.title>.*/\1/p'
  act=tanh lr=0.1
  act=relu lr=0.1
  act=relu lr=0.5
  $ nn-plot -y valid_cost 1 -o curve.txt --width 40 --height 9 && wc -l < curve.txt
  9
  $ nn-plot --size 200x100 --format png 1 | head -c 24 | tail -c 8 | od -An -tx1
   00 00 00 c8 00 00 00 64

Logs, tables and what comes in.

  $ for e in 1 2 3 4 5 6; do echo "Epoch $e: loss = 0.$((9 - e)) acc = 0.$e"; done > train.log
  $ nn-plot -y acc train.log --height 10
  train.log
  acc
      │                                                               ⣀⣀⣀⣀⠤⠤⠤⠤⠔⠒⠒⠒
   0.5┤                                              ⣀⣀⣀⣀⠤⠤⠤⠤⠔⠒⠒⠒⠊⠉⠉⠉⠉
      │                             ⣀⣀⣀⣀⡠⠤⠤⠤⠴⠒⠒⠒⠊⠉⠉⠉⠉
      │            ⣀⣀⣀⣀⡠⠤⠤⠤⠔⠒⠒⠒⠒⠉⠉⠉⠉
      │⠤⠤⠤⠔⠒⠒⠒⠒⠉⠉⠉⠉
      └┬──────────────┬──────────────┬──────────────┬──────────────┬─────────────┬
       1              2              3              4              5             6
                                          epoch
  $ printf 'wall,cost\n0,5\n10,3\n20,inf\n30,1\n' | nn-plot - --height 10 --ascii
  standard input
  cost                                                                 ^ up to inf
    |aaaaa                                              ^
   4+     aaaaaaaaaaaaaa
    |                   aaaaaaa
   2+
    |                                                                            a
    ++----+----+----+----+----+----+----+-----+----+----+----+----+----+----+----+
     0    2    4    6    8   10   12   14    16   18   20   22   24   26   28   30
                                         wall

A run that diverges does not flatten the others.

  $ printf 'epoch\ta\tb\n' > t.tsv; awk 'BEGIN { for (e = 1; e <= 40; e++) printf "%d\t%g\t%g\n", e, 1 / e, 10 ^ (e / 2) }' >> t.tsv
  $ nn-plot -y a,b t.tsv --height 12
  t.tsv
  a, b                                                                ▲ up to 1e20
   1.0┤▲
      │⠘⡄
      │ ⢱
   0.5┤  ⠑⢄⡀
      │    ⠈⠑a⠤⣀⣀⣀⡀
     0┤           ⠈⠉⠉⠉⠉⠉⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠢⠤⠤a⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤a⠤⠤⠤⠤⠤⠤⠤a
      └───────┬─────────┬────────┬─────────┬─────────┬────────┬─────────┬────────┬
              5        10       15        20        25       30        35       40
                                          epoch
  ─a─ a   ─b─ b
  $ nn-plot -y a,b t.tsv --height 12 --full
  t.tsv
  a, b
   1e20┤                                                                         b
       │                                                                        ⢀⠇
       │                                                                        ⡸
   5e19┤                                                                       ⢠⠃
       │                                                                      b⠃
      0┤⠤⠤⠤⠤⠤⠤a⠤⠤⠤b⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤a⠤⠤⠤b⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤a⠤⠶⠮⠤⠤⠤a
       └───────┬─────────┬────────┬─────────┬────────┬─────────┬────────┬────────┬
               5        10       15        20       25        30       35       40
                                          epoch
  ─a─ a   ─b─ b
  $ nn-plot -y b t.tsv --log --ymax 1e4 --height 10
  t.tsv
  b                                                                   ▲ up to 1e20
   10000┤          ⣀⠤⠒▲
        │       ⣀⠤⠊⠁
     100┤   ⢀⡠⠒⠉
        │⢀⠤⠒⠉
       1┤⠁
        └───────┬────────┬─────────┬────────┬────────┬─────────┬────────┬────────┬
                5       10        15       20       25        30       35       40
                                           epoch

A log that counts anew is one curve, and no line leads back; a pipe is a file too.

  $ for i in 1 2; do for e in 1 2 3 4 5; do echo "epoch=$e loss=$((e + i))"; done; done > twice.log
  $ mkfifo pipe; cat twice.log > pipe & nn-plot ./pipe --height 9 --width 40
  ./pipe
  loss
    │                           ⣀⣀⣀⡠⠤⠤⠔⠒⠒⣒
   5┤              ⣀⣀⣀⡠⠤⠤⠔⠒⠒⣒⣉⣉⡩⠤⠤⠤⠒⠒⠒⠉⠉⠉
    │ ⣀⣀⣀⠤⠤⠤⠒⠒⠒⣊⣉⣉⠭⠤⠤⠔⠒⠒⠊⠉⠉⠉
    │⠭⠤⠤⠔⠒⠒⠊⠉⠉⠉
    └┬────────┬────────┬────────┬────────┬
     1        2        3        4        5
                     epoch
  $ nn-plot twice.log train.log --height 10 --width 40 -y loss
  loss
    │                      ⣀⣀⡠⠤⠤⠔⠒a
   5┤          ⢀⣀⣀⠤⠤⠤⠒⠒⣒⣉⡩⠭⠤⠔⠒⠒⠊⠉⠉
    │⣀⣀⡠⠤⠤⠒⠒⣒⣉⡩⠥⠤⠒⠒⠒⠉⠉⠉
    │⠤⠒⠒⠒⠉⠉a
    │⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒b⠒⠒⠒⠢⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤b
    └┬──────┬──────┬───────┬──────┬──────┬
     1      2      3       4      5      6
                     epoch
  ─a─ twice.log  ─b─ train.log
