A spool made by hand holds three runs of a sweep; one of them diverges.

  $ mkdir -p spool/runs spool/done spool/failed spool/queued && echo 1 > spool/version
  $ run() { mkdir "spool/runs/$1"; printf '%s\n' "$2" > "spool/runs/$1/job.json"; cat > "spool/runs/$1/history.jsonl"; }
  $ run 1 '{"argv":["./train","-lr","0.01"],"cwd":"/","name":"a","group":"grid","params":{"lr":0.01,"act":"tanh","seed":1}}' <<'END'
  > {"t":"2026-11-22T20:00:00.000Z","epoch":1,"train_cost":3.5,"valid_cost":4}
  > {"t":"2026-11-22T20:00:01.000Z","epoch":2,"train_cost":2.5,"valid_cost":2}
  > {"t":"2026-11-22T20:00:02.000Z","epoch":3,"train_cost":1.5,"valid_cost":3}
  > END
  $ run 2 '{"argv":["./train","-lr","0.1"],"cwd":"/","name":"b","group":"grid","params":{"lr":0.1,"act":"tanh","seed":1}}' <<'END'
  > {"t":"2026-11-22T20:00:00.000Z","epoch":1,"train_cost":9,"valid_cost":9.25}
  > {"t":"2026-11-22T20:00:01.000Z","epoch":2,"train_cost":"NaN","valid_cost":"NaN"}
  > {"t":"2026-11-22T20:00:02.000Z","epo
  > END
  $ run 3 '{"argv":["./train","-lr","1"],"cwd":"/","name":"c \u001b[31m","group":"grid","params":{"lr":1,"act":"relu","seed":1}}' < /dev/null
  $ touch spool/done/0000001.1 spool/failed/0000002.1~exit,1 spool/queued/5-0000003.1

What tells the runs apart:

  $ nn-table -t
  run  state   how     name          lr  act   valid_cost  valid_cost@min  train_cost  train_cost@min
    1  done            a           0.01  tanh           3               2         1.5             1.5
    2  failed  exit 1  b            0.1  tanh         nan            9.25         nan               9
    3  queued          c \x1b[31m     1  relu

The spreadsheet's way, and a template for it:

  $ nn-table --csv --columns 'run,10ep=valid_cost@2,last=valid_cost,p.lr,command' 1 2
  run,10ep,last,p.lr,command
  1,2,3,0.01,./train -lr 0.01
  2,nan,nan,0.1,./train -lr 0.1
  $ echo 'table.paper = name, state, lr, valid_cost@min' > spool/config
  $ nn-table --columns @paper @grid
  a	done	0.01	2
  b	failed	0.1	9.25
  c \x1b[31m	queued	1	
  $ nn-table --markdown --columns name,how 1-2
  | name | how |
  | --- | --- |
  | a |  |
  | b | exit 1 |
  $ nn-table --json --columns run,valid_cost,lr,note
  {"run":1,"valid_cost":3.0,"lr":0.01,"note":null}
  {"run":2,"valid_cost":"NaN","lr":0.1,"note":null}
  {"run":3,"valid_cost":null,"lr":1,"note":null}

Conditions and sorting; what has no value comes last both ways:

  $ nn-table --columns run --where 'lr>=0.1'
  2
  3
  $ nn-table --columns run --where state=done --where 'valid_cost@min<3'
  1
  $ nn-table --columns run --where 'name~a'
  1
  $ nn-table --columns run,valid_cost --sort valid_cost
  1	3
  2	nan
  3	
  $ nn-table --columns run,lr --sort lr -r
  3	1
  2	0.1
  1	0.01
  $ nn-table --columns run --where 'lr>5'
  [1]
  $ printf '2\textra\n1\n' | nn-table --columns run,name
  2	b
  1	a

What was found at the start has columns too, and conditions:

  $ echo '{"host":{"name":"gpu1"},"git":{"commit":"0123456789abcdef","branch":"main","dirty":true}}' > spool/runs/1/facts.json
  $ echo '{"host":{"na' > spool/runs/2/facts.json
  $ nn-table --columns run,host,commit,branch,dirty 1
  1	gpu1	0123456789abcdef	main	true
  $ nn-table --columns run --where branch=main 2>&1 | sed "s,$PWD,.,"
  nn-table: ./spool/runs/2/facts.json:1: column 13: control character in a string
  1
  $ rm spool/runs/2/facts.json
  $ nn-table --columns run,host --sort host -r 2 1
  1	gpu1
  2	
  $ echo '{"generation":1,"exit":1}' > spool/runs/2/result.json
  $ nn-table --columns run,exit --where exit!=0 1 2
  1	
  2	1
  $ rm spool/runs/1/facts.json spool/runs/2/result.json
  $ nn-table --columns run,valid_cost --where state=queued
  3	

Before anything is recorded a name may be that of a variable to come:

  $ nn-table --columns run,test_cost,valid_cost@min 3
  3		

Differences:

  $ nn-table diff 1 2
  state	done	failed
  name	a	b
  command	./train -lr 0.01	./train -lr 0.1
  param lr	0.01	0.1
  train_cost@last	1.5	nan
  train_cost@min	1.5	9
  train_cost@max	3.5	9
  valid_cost@last	3	nan
  valid_cost@min	2	9.25
  valid_cost@max	4	9.25
  how		exit 1
  $ nn-table diff -t 1 3 | cut -c1-40
  what             run 1             run 3
  state            done              queue
  name             a                 c \x1
  command          ./train -lr 0.01  ./tra
  param lr         0.01              1
  param act        tanh              relu
  train_cost@last  1.5
  train_cost@min   1.5
  train_cost@max   3.5
  valid_cost@last  3
  valid_cost@min   2
  valid_cost@max   4
  $ nn-table diff 1 1
  [1]
  $ nn-table diff --all 1 1 | head -2
  state	done	done
  name	a	a
