Runs as directories for other programs. What goes out comes in again.

  $ nn-queue init >/dev/null
  $ nn-run -q -n 'one/x y' -g grid -p lr=0.1 -p act=tanh -- sh -c 'for i in 1 2 3; do echo epoch=$i loss=0.$i; done; exit 3'
  [3]
  $ nn-run -q -- sh -c 'echo step=10 epoch=1 loss=nan acc=1'; nn-run -q -- true
  nn-run: run 2: error: nan: loss is NaN at epoch 1, step 10
  $ nn-log export --tensorboard to/board 1-3
  to/board/1-one_x_y
  to/board/2
  to/board/3
  $ ls to/board/* | sed 's/tfevents\..*/tfevents/'
  to/board/1-one_x_y:
  events.out.tfevents
  
  to/board/2:
  events.out.tfevents
  
  to/board/3:
  events.out.tfevents
  $ nn-log import --tensorboard to/board 2>&1 | sed "s:$PWD:.:"
  nn-log: warning: ./to/board/3: no scalars in it: left out
  4
  5
  $ nn-table 4 5 --columns run,state,how,name,group,lr,act,loss@first,acc
  4	done		2	board			nan	1
  5	failed	exit status unknown	1-one_x_y	board	0.1	tanh	0.1	
  $ nn-log export 4 5 | sed 's/"t":"[^"]*"/"t":T/'
  {"run":4,"t":T,"step":10,"epoch":1,"loss":"NaN","acc":1}
  {"run":5,"t":T,"step":1,"loss":0.1}
  {"run":5,"t":T,"step":2,"loss":0.2}
  {"run":5,"t":T,"step":3,"loss":0.3}
  $ nn-log export --tensorboard to/board 3 2
  nn-log: to/board/3: is there already: export into another directory, or remove it
  [2]
  $ nn-log export --tensorboard to/board 2>&1 </dev/null | head -n 1
  nn-log: which runs? give them as operands or on standard input

  $ nn-log export --sacred to/sacred 1 2
  to/sacred/1
  to/sacred/2
  $ cat to/sacred/1/config.json; sed 's/2[0-9-]*T[0-9:.]*/T/g' to/sacred/1/metrics.json to/sacred/2/metrics.json
  {"lr":0.1,"act":"tanh"}
  {"loss":{"steps":[1,2,3],"timestamps":["T","T","T"],"values":[0.1,0.2,0.3]}}
  {"loss":{"steps":[10],"timestamps":["T"],"values":[NaN]},"acc":{"steps":[10],"timestamps":["T"],"values":[1]}}
  $ cat to/sacred/1/cout.txt
  epoch=1 loss=0.1
  epoch=2 loss=0.2
  epoch=3 loss=0.3
  $ sed "s:$PWD:.:; s/2[0-9-]*T[0-9:.]*/T/g; s/\"host\":{[^}]*}/\"host\":H/" to/sacred/1/run.json
  {"experiment":{"name":"grid","base_dir":".","mainfile":"sh","sources":[],"dependencies":[],"repositories":[]},"command":"sh -c 'for i in 1 2 3; do echo epoch=$i loss=0.$i; done; exit 3'","host":H,"start_time":"T","stop_time":"T","heartbeat":"T","status":"FAILED","fail_trace":[],"result":null,"resources":[],"artifacts":[],"meta":{"command":"sh -c 'for i in 1 2 3; do echo epoch=$i loss=0.$i; done; exit 3'","options":{"--comment":null},"comment":null,"argv":["sh","-c","for i in 1 2 3; do echo epoch=$i loss=0.$i; done; exit 3"],"run":1}}
  $ nn-log export --sacred to/sacred 3
  to/sacred/3
  $ nn-log import --sacred to/sacred 2>/dev/null
  6
  7
  8
  $ nn-table 6 7 --columns run,state,how,name,group,command,lr,loss@first,acc
  6	failed	exit status unknown	grid-1	grid	sh -c 'for i in 1 2 3; do echo epoch=$i loss=0.$i; done; exit 3'	0.1	0.1	
  7	done		nn-tools-2	nn-tools	sh -c 'echo step=10 epoch=1 loss=nan acc=1'		nan	1
  $ nn-log export --csv 6 | cut -d, -f1,3-
  run,step,loss
  6,1,0.1
  6,2,0.2
  6,3,0.3

  $ nn-log export --sacred to/sacred 99
  nn-log: there is no run 99
  [2]
  $ nn-log export --sacred 2>&1 | head -n 1
  nn-log: option '--sacred' needs a value
  $ : >file; nn-log export --sacred file 1
  nn-log: cannot make the directory file: File exists
  [2]
