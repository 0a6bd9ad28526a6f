A spool is a matter of mkdir, printf, touch and mv: this one never saw nn-queue init or nn-queue add.

  $ mkdir -p spool/runs spool/queued && printf '1\n' > spool/version
  $ for n in 1 2 3; do
  >   mkdir spool/runs/$n
  >   printf '{"argv":["sh","-c","echo epoch=1 cost=%s"],"cwd":"/","name":"run-%s"}\n' $n $n > spool/runs/$n/job.json
  > done
  $ touch spool/queued/5-0000001.1 spool/queued/5-0000002.1 spool/queued/3-0000003.1
  $ nn-queue list | cut -f1,2,5
  3	queued	run-3
  1	queued	run-1
  2	queued	run-2

Called off and queued again, as the page says:

  $ mv spool/queued/5-0000002.1 spool/cancelled/0000002.1
  $ nn-queue list --all | cut -f1,2
  2	cancelled
  3	queued
  1	queued
  $ mv spool/cancelled/0000002.1 spool/queued/5-0000002.2

What is no token is left alone, and reported:

  $ touch spool/queued/README spool/done/.nfs0000 'spool/queued/5-17.1'
  $ nn-queue work 2>&1 | sed 's/ [0-9.]*s$//'
  3 run-3 done
  1 run-1 done
  2 run-2 done
  $ ls spool/queued spool/done spool/running
  spool/done:
  0000001.1
  0000002.2
  0000003.1
  
  spool/queued:
  5-17.1
  README
  
  spool/running:
  $ nn-table --columns run,name,state,cost
  1	run-1	done	1
  2	run-2	done	2
  3	run-3	done	3
  $ cat spool/next 2>/dev/null
  [1]
  $ nn-queue add -- true
  4
  $ nn-queue recover 2>&1 | sed "s,$PWD,.," | sort
  nn-queue: warning: ./spool/queued/5-17.1 is no token: left alone
  nn-queue: warning: ./spool/queued/README is no token: left alone
