A log of any program is judged when it is named in place of a run; no spool is needed. What was found is printed as JSON
lines, and the exit status says whether somebody should look.

  $ for e in 1 2 3 4; do echo "epoch=$e loss=$((8 - e)).5"; done >good.log
  $ nn-watch good.log
  $ echo 'epoch=5 loss=nan' | cat good.log - >bad.log
  $ nn-watch bad.log
  {"t":null,"level":"error","detector":"nan","metric":"loss","at":{"epoch":5},"why":"loss is NaN","evidence":{"value":"NaN","numbers_before":4}}
  [1]
  $ cat bad.log | nn-watch - | sed 's/"t":"[^"]*"/"t":"..."/'
  {"t":"...","level":"error","detector":"nan","metric":"loss","at":{"epoch":5},"why":"loss is NaN","evidence":{"value":"NaN","numbers_before":4}}
  $ printf 'epoch,val_loss\n1,0.5\n2,nan\n' >metrics.csv
  $ nn-watch metrics.csv
  {"t":null,"level":"error","detector":"nan","metric":"val_loss","at":{"epoch":2},"why":"val_loss is NaN","evidence":{"value":"NaN","numbers_before":1}}
  [1]

Rules of the command line are kept, too; stop ends the watching. How lines look can be told.

  $ nn-watch --rule 'warn if loss < 6 for 2 points' good.log
  {"t":null,"level":"warning","detector":"rule","metric":"loss","at":{"epoch":4},"why":"warn if loss < 6 for 2 points (loss 4.5)","evidence":{"rule":"warn if loss < 6 for 2 points","loss":4.5}}
  [1]
  $ yes 'epoch=1 loss=3' | nn-watch --rule 'stop if loss > 2' - | sed 's/"t":"[^"]*"/"t":"..."/'
  {"t":"...","level":"error","detector":"rule","metric":"loss","at":{"epoch":1},"why":"stop if loss > 2 (loss 3)","evidence":{"rule":"stop if loss > 2","loss":3}}
  $ echo 'Runde 3 ... Fehler 1e9' | nn-watch -p 'Runde {epoch} ... Fehler {loss}' --rule 'warn if loss > 1e6' - | grep -o '"at":{[^}]*}'
  "at":{"epoch":3}
  $ nn-watch --rule 'warn if lss < 6' good.log
  nn-watch: warning: rule 'warn if lss < 6': there was no variable 'lss' (did you mean 'loss'?)

A log that grows is followed; what stands in it already is judged first. What it says ends when it is cut and begins anew.

  $ nn-watch -f bad.log >events & watcher=$!
  $ until grep -qs nan events; do sleep 0.05; done; echo 'epoch=1 cost=5' >bad.log
  $ echo 'epoch=2 cost=inf' >>bad.log; until grep -q cost events; do sleep 0.05; done
  $ kill $watcher; wait $watcher
  [1]
  $ grep -o '"metric":.*' events
  "metric":"loss","at":{"epoch":5},"why":"loss is NaN","evidence":{"value":"NaN","numbers_before":4}}
  "metric":"cost","at":{"epoch":2},"why":"cost is infinite","evidence":{"value":"Infinity","numbers_before":1}}
  $ nn-watch -f --rule 'stop if nan(cost)' bad.log | grep -c rule
  1

Bad input is told.

  $ nn-watch nothing.log 2>&1 | sed "s,$PWD,DIR,"
  nn-watch: DIR/spool: there is no spool here (make one with 'nn-queue init')
  $ nn-watch ./nothing.log
  nn-watch: cannot read ./nothing.log: No such file or directory
  [2]
  $ nn-watch -- ./
  nn-watch: cannot read ./: Is a directory
  [2]
  $ echo 'nothing here' >empty.log; nn-watch empty.log
  nn-watch: empty.log: no variable of interest was found (nn-log --try shows what is read, --pattern tells how lines look)
  [2]
  $ nn-watch good.log bad.log 2>&1 | head -1
  nn-watch: one log at a time
  $ nn-watch --once good.log 2>&1 | head -1
  nn-watch: a log is judged: it takes --follow, --json, --pattern and --rule
  $ nn-watch --rule 'stop if nan(x)' 2>&1 | head -1
  nn-watch: --pattern and --rule go with a log: name a file that is there, or '-'
  $ nn-watch --rule 'stop if nam(x)' good.log 2>&1 | head -1
  nn-watch: rule: column 9: unknown function 'nam' (did you mean 'nan'?)
  $ nn-watch --rule "run 'rm x' if nan(x)" good.log 2>&1 | head -1
  nn-watch: rule: column 1: of a log 'warn' and 'stop' are possible: the exit status tells
  $ nn-watch -p 'Epoch {' good.log 2>&1 | head -1
  nn-watch: pattern 'Epoch {', column 7: '{' without '}' (a brace itself is '{{')
  $ nn-watch bad.log >/dev/full
  nn-watch: cannot write standard output: No space left on device
  [2]

What stands in a file has the times that its records tell: a step that takes longer is seen.

  $ awk 'BEGIN { for (s = i = 1; i <= 60; i++) { s += i <= 30 ? 10 : 30; printf "{\"t\":\"2026-11-22T%02d:%02d:%02dZ\",\"epoch\":%d,\"loss\":%.4f}\n", s / 3600, s % 3600 / 60, s % 60, i, 1 / i } }' >slow.jsonl
  $ nn-watch slow.jsonl
  {"t":"2026-11-22T00:07:31.000Z","level":"warning","detector":"slow","at":{"epoch":35},"why":"a step takes 30 s, it took 10 s","evidence":{"now":30,"before":10}}
  [1]
  $ sed 's/"t":"[^"]*"/"t":"yesterday"/' slow.jsonl >untold.jsonl; nn-watch untold.jsonl
