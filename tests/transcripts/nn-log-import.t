Runs that Sacred recorded become runs here, as they ended.

  $ nn-queue init >/dev/null
  $ mkdir -p old/1 old/2 old/3 old/4 old/_sources
  $ run() { printf '{"status":"%s","experiment":{"name":"rnn","mainfile":"rnn.py","base_dir":"/home/me"},"command":"train","host":{"hostname":"gpu1"},"start_time":"2026-11-22T20:00:00.250000","stop_time":"2026-11-22T20:01:00.250000"%s}' "$@"; }
  $ run COMPLETED >old/1/run.json; run FAILED ',"fail_trace":["Traceback:\n","ValueError: no\n"]' >old/2/run.json
  $ run INTERRUPTED >old/3/run.json; run COMPLETED | head -c 50 >old/4/run.json
  $ echo '{"lr":0.1,"net":{"act":"tanh","layers":{"py/tuple":[1,2]}}}' >old/1/config.json
  $ echo '{"loss":{"steps":[1,2],"values":[0.5,NaN],"timestamps":["2026-11-22T20:00:10","2026-11-22T20:00:20"]},"my acc":{"steps":[1,2],"values":[0.1,0.2],"timestamps":["2026-11-22T20:00:10.5","2026-11-22T20:00:20.5"]}}' >old/1/metrics.json
  $ echo hello >old/1/cout.txt
  $ nn-log import --sacred old 2>&1 | sed "s:$PWD:.:"
  nn-log: ./old/4/run.json:1: column 51: string without end
  nn-log: warning: run 2, ./old/2: no values were found in it
  nn-log: warning: run 3, ./old/3: no values were found in it
  1
  2
  3
  $ nn-table --columns run,state,how,name,group,host,started,duration,p.lr,net.act,net.layers,loss@first,my_acc
  1	done		rnn-1	rnn	gpu1	2026-11-22T20:00:00.250Z	60	0.1	tanh	[1,2]	0.5	0.2
  2	failed	exit status unknown	rnn-2	rnn	gpu1	2026-11-22T20:00:00.250Z	60					
  3	cancelled		rnn-3	rnn	gpu1	2026-11-22T20:00:00.250Z	60					
  $ nn-log export 1
  {"run":1,"t":"2026-11-22T20:00:10.000Z","step":1,"loss":0.5,"my_acc":0.1}
  {"run":1,"t":"2026-11-22T20:00:20.000Z","step":2,"loss":"NaN","my_acc":0.2}
  $ nn-queue log 1
  hello
  $ nn-queue show 2 | grep -E '^(state|command|evidence)'
  state       failed: exit status unknown
  command     rnn.py train
  evidence    Sacred: FAILED: ValueError: no
  $ sed "s:$PWD:.:; s/\"added.*//" spool/runs/1/job.json
  {"argv":["rnn.py","train"],"cwd":"/home/me","name":"rnn-1","group":"rnn","params":{"lr":0.1,"net.act":"tanh","net.layers":[1,2]},"source":{"format":"sacred","path":"./old/1"},
  $ ls spool/runs/1
  facts.json
  history.jsonl
  job.json
  log
  result.json

What is here already is refused; --new takes the rest.

  $ nn-log import --sacred old 2>&1 | sed "s:$PWD:.:"
  nn-log: ./old/4/run.json:1: column 51: string without end
  nn-log: here already as runs 1 2 3 (--again imports them once more)
  $ rm -r old/4; mkdir old/5; run TIMEOUT >old/5/run.json
  $ nn-log import --sacred old
  nn-log: here already as runs 1 2 3 (--new imports the others, --again all)
  [1]
  $ nn-log import --new --sacred old -g late --tag a --tag b 2>&1 | sed "s:$PWD:.:"
  nn-log: here already as runs 1 2 3 (not imported again)
  nn-log: warning: run 4, ./old/5: no values were found in it
  4
  $ nn-log import --new --sacred old
  nn-log: here already as runs 1 2 3 4 (not imported again)
  [1]
  $ nn-log import --again --sacred old/2 2>/dev/null
  5
  $ nn-table --columns run,state,how,group,tags
  1	done		rnn	
  2	failed	exit status unknown	rnn	
  3	cancelled		rnn	
  4	failed	time limit	late	a b
  5	failed	exit status unknown	rnn	
  $ nn-queue retry 2; nn-run --resume 2
  nn-queue: cannot retry 2: imported: it ran elsewhere and cannot be run from here
  nn-run: run 2 was imported: it ran elsewhere and cannot be run from here
  [125]

One that still runs there is lost here: nobody can be asked.

  $ mkdir -p lives/1 && run RUNNING ',"heartbeat":"2026-11-22T20:00:50"' >lives/1/run.json
  $ nn-log import --sacred lives 2>&1 | sed "s:$PWD:.:"
  nn-log: warning: run 6, ./lives/1: it is on record as RUNNING, last heard of at 2026-11-22T20:00:50.000Z: its end is not, and it counts as lost
  nn-log: warning: run 6, ./lives/1: no values were found in it
  6
  $ nn-queue list --state failed 6 | cut -f1,2
  6	failed

MLflow: deleted runs are left out.

  $ mkdir -p mlruns/35/ab/metrics/train mlruns/35/ab/params mlruns/35/ab/tags mlruns/35/cd
  $ printf 'experiment_id: "35"\nlifecycle_stage: active\nname: grid\n' >mlruns/35/meta.yaml
  $ printf 'run_id: ab\nrun_name: first\nlifecycle_stage: active\nstatus: 3\nstart_time: 1795739414694\nend_time: 1795739424694\n' >mlruns/35/ab/meta.yaml
  $ sed 's/active/deleted/' mlruns/35/ab/meta.yaml >mlruns/35/cd/meta.yaml
  $ printf '1795739414700 0.5 0\n1795739415700 nan 1\n' >mlruns/35/ab/metrics/train/loss; printf 0.1 >mlruns/35/ab/params/lr
  $ nn-log import --mlflow mlruns 2>&1 | sed "s:$PWD:.:"
  nn-log: warning: ./mlruns/35: deleted runs, 1 in all, are left out
  7
  $ nn-log export last; nn-table last --columns run,state,name,group,lr,duration
  {"run":7,"t":"2026-11-27T00:30:14.700Z","step":0,"train/loss":0.5}
  {"run":7,"t":"2026-11-27T00:30:15.700Z","step":1,"train/loss":"NaN"}
  7	done	first	grid	0.1	10
  $ mv mlruns moved; nn-log import --mlflow moved/35/ab
  nn-log: here already as run 7 (--again imports it once more)
  [1]

Tables and logs, a run each.

  $ printf 'Wall time,Step,Value,who\n1795739414.5,3,0.25,me\n' >a.csv; printf 'loss;acc\n0.5;\n0.25;1e-3\n' >b.csv
  $ nn-log import --csv a.csv b.csv
  8
  9
  $ nn-log export 8 9
  {"run":8,"t":"2026-11-27T00:30:14.500Z","step":3,"Value":0.25}
  {"run":9,"iter":1,"loss":0.5}
  {"run":9,"iter":2,"loss":0.25,"acc":0.001}
  $ printf 'pass 1 cost 0.5\npass 2 cost 0.25\n' >train.log; touch -d '2026-11-22 20:00 UTC' train.log
  $ nn-log import --log train.log -p 'pass {epoch} cost {cost}' | nn-log export
  {"run":10,"epoch":1,"cost":0.5}
  {"run":10,"epoch":2,"cost":0.25}
  $ nn-table last --columns run,state,name,ended,cost@min
  10	done	train	2026-11-22T20:00:00.000Z	0.25
