The judge on real trainings, those of the demo. The first swings: it rises to where it began, is good again from epoch 45 on,
and collapses for good at epoch 104. Each is told once, though it had stood high before. The second swings less.

  $ judged() { "$TESTS/../scripts/demo/train" "$@" | nn-watch - | sed 's/.*"detector":"\([a-z]*\)","metric":"\([a-z_]*\)","at":\({[^}]*}\).*/\1 \2 \3/'; }
  $ judged -a relu -lr 0.01 -clip 20
  divergence train_cost {"epoch":22}
  divergence train_cost {"epoch":108}
  divergence valid_cost {"epoch":144}
  $ judged -a relu -lr 0.01 -clip 0
  $ judged -a tanh -lr 0.01 -clip 20
