A training that saves two weights a time, one growing and one shrinking from the ninth epoch on, and a counter. It waits
for each to be measured, only so that this page does not depend on how fast it is.

  $ nn-queue init > /dev/null
  $ cat > train.sh <<'END'
  > type='"dtype":"F8_E5M2","shape":[1],"data_offsets"'
  > header='{"up":{'$type':[0,1]},"down":{'$type':[1,2]},"n":{"dtype":"I8","shape":[1],"data_offsets":[2,3]}}'
  > save() { # UP DOWN
  >     printf "\\$(printf %o ${#header})\0\0\0\0\0\0\0%s\\$1\\$2\1" "$header" > $NN_CHECKPOINTS/now.tmp
  >     touch -d '1 minute ago' $NN_CHECKPOINTS/now.tmp
  >     mv $NN_CHECKPOINTS/now.tmp $NN_CHECKPOINTS/epoch-$epoch.safetensors
  >     until grep -q "\"epoch\":$epoch,.*norm/up" $NN_RUN_DIR/history.jsonl 2>/dev/null; do sleep 0.05; done
  > }
  > for epoch in 1 2 3 4 5 6 7 8 9 10 11 12; do
  >     echo "epoch=$epoch cost=0.$((50 - epoch))"
  >     if [ $epoch -le 8 ]; then save 074 074; else save 170 004; fi
  > done
  > echo half > $NN_CHECKPOINTS/epoch-13.safetensors
  > END
  $ nn-run -q --weights '*.safetensors' -- sh train.sh 2>&1 | sed "s,$PWD,.,"
  nn-run: run 1: warning: norm: norm/up explodes (now 32768, usual 1) at epoch 12
  nn-run: run 1: warning: norm: norm/down vanishes (now 0.0000610352, usual 1) at epoch 12
  $ nn-log export 1 | grep norm | sed 's/"t":"[^"]*"/"t":T/' | sed -n '1p;8,9p;$p'
  {"run":1,"t":T,"epoch":1,"norm/up":1,"norm/down":1}
  {"run":1,"t":T,"epoch":8,"norm/up":1,"norm/down":1}
  {"run":1,"t":T,"epoch":9,"norm/up":32768,"norm/down":6.103515625e-5}
  {"run":1,"t":T,"epoch":12,"norm/up":32768,"norm/down":6.103515625e-5}
  $ nn-table 1 --columns norm/up@last,norm/up@min,norm/down@min
  32768	1	0.0000610352
  $ nn-plot -y 'norm/*' --log --ascii --width 60 --height 10 1
  1
  norm/up, norm/down
    |                                        aaaaaaaaaaaaaaaaa
    |                                    aaaa
   1+bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb
    |                                        bbbbbbbbbbbbbbbbb
    ++----+----+----+----+----+-----+----+----+----+----+----+
     1    2    3    4    5    6     7    8    9   10   11   12
                               epoch
  -a- norm/up    -b- norm/down

A pattern with a slash is one for files below the command's directory; what was there before is not measured. A queued run
is no different. The newest is measured even where the command ends at once.

  $ npy() { printf '\223NUMPY\1\0\166\0%-117s\n\0\0\200\100' "{'descr': '<f4', 'fortran_order': False, 'shape': (), }"; }
  $ npy > before.npy; touch -d '1 hour ago' before.npy
  $ { echo 'epoch=7 cost=1'; } > log; echo 'cat log; cp before.npy after.npy' > quick.sh
  $ nn-queue add --live --weights './*.npy' -- sh quick.sh; nn-queue work 2> /dev/null
  2
  $ nn-log export 2 | sed 's/"t":"[^"]*"/"t":T/'
  {"run":2,"t":T,"epoch":7,"cost":1}
  {"run":2,"t":T,"epoch":7,"norm/after":4}
  $ echo 'name = s
  > weights = out/*.npz
  > command = true' > s.conf; nn-sweep s.conf | sed 's/"cwd":"[^"]*"/"cwd":D/'
  {"name":"s","group":"s","argv":["true"],"cwd":D,"params":{},"weights":"out/*.npz"}
