In a git work tree a queued run executes the code as it was when it was added. Nothing of the user's is touched.

  $ export GIT_CONFIG_GLOBAL=$PWD/gitconfig GIT_AUTHOR_DATE=2026-01-01T00:00:00Z GIT_COMMITTER_DATE=2026-01-01T00:00:00Z
  $ git config --global user.name a && git config --global user.email a@b && git config --global init.defaultBranch main
  $ nn-queue init >/dev/null; top=$PWD
  $ mkdir -p proj/sub proj/data && cd proj && git init -q && printf 'data\n*.ckpt\n' >.gitignore && echo original >sub/text
  $ printf '#!/bin/sh\ncat text\nmkdir -p out\necho run $NN_RUN >>out/result\n' >sub/train && chmod +x sub/train
  $ git add . && git commit -qm one && echo modified >sub/text && echo new >sub/new && echo d >data/d
  $ git status --porcelain >../before; cksum .git/index >>../before; find . .git/objects | sort >>../before
  $ cd sub && nn-queue add -- ./train
  1
  $ nn-queue add -p x=1 -- ./train
  2
  $ cd .. && cksum .git/index >../index; git status --porcelain >../after; cat ../index >>../after; find . .git/objects | sort >>../after
  $ cmp ../before ../after

Edited, committed, even removed: the runs print what was there. Each has a copy of its own; what it wrote stays there, the rest goes.

  $ echo edited >sub/text; git commit -qam two; rm sub/new
  $ nn-queue work -q; nn-queue log 1; nn-queue log 2
  modified
  modified
  $ cd "$NN_SPOOL"; find runs/*/work -type f -exec head {} +
  ==> runs/1/work/sub/out/result <==
  run 1
  
  ==> runs/2/work/sub/out/result <==
  run 2
  $ ls code | wc -l; ls tmp
  1
  $ tar tf code/*/tree.tar
  .gitignore
  sub/new
  sub/text
  sub/train

The facts are those of what ran.

  $ git -C $top/proj rev-parse main~1 | grep -qf - runs/1/facts.json; grep -o '"branch":.*"untracked":[^]]*' runs/1/facts.json
  "branch":"main","dirty":true,"changed":1,"untracked":["sub/new"
  $ grep '^[-+][a-z]' runs/1/code.patch
  -original
  +modified
  $ nn-queue show 1 | grep -E '^(in|code|git) ' | sed "s|$top|TOP|; s/[0-9a-f]\{12,\}/HASH/"
  in          TOP/proj/sub
  code        frozen, code/HASH
  git         HASH on main, changed (code.patch)

A later attempt finds the same code, and what the first one wrote.

  $ nn-queue retry --done 1 && nn-queue work -q; nn-queue log 1; cat runs/1/work/sub/out/result
  1	queued
  modified
  --- attempt 2 ---
  modified
  run 1
  run 1

A sweep of 500 adds one snapshot.

  $ cd $top/proj/sub; printf 'command = ./train {x}\n[grid]\nx = 1 .. 500\n' >../sweep.conf; nn-sweep ../sweep.conf | (cd .. && sed 's|/proj"|/proj/sub"|' | nn-queue add) | wc -l
  500
  $ ls $NN_SPOOL/code | wc -l; grep -ho '"tree":"[^"]*"' $NN_SPOOL/runs/*/job.json | sort | uniq -c | sort -n | awk '{print $1}'
  2
  2
  500
  $ nn-queue list | cut -f1 | nn-queue cancel >/dev/null

The same command with the same parameters and code is added only when asked for; one that was called off does not count.

  $ git stash -q; nn-queue add -p lr=1 -- ./train
  503
  $ nn-queue add -p lr=1 -n other -- ./train
  nn-queue: run 503 is the same command with the same parameters and code (--again adds it all the same)
  [1]
  $ nn-queue add -p lr=2 -- ./train; nn-queue add --again -p lr=1 -- ./train
  504
  505
  $ nn-queue add -p lr=2 -- ./train; nn-queue cancel 504 && nn-queue add -p lr=2 -- ./train
  nn-queue: run 504 is the same command with the same parameters and code (--again adds it all the same)
  504	cancelled
  506
  $ for lr in 1 2 3; do echo "{\"argv\":[\"./train\"],\"params\":{\"lr\":$lr}}"; done | nn-queue add
  nn-queue: runs 505 506 are the same command with the same parameters and code (--new adds the others, --again all)
  [1]
  $ for lr in 1 3 2 4; do echo "{\"argv\":[\"./train\"],\"name\":\"lr$lr\",\"params\":{\"lr\":$lr}$after}"; after=",\"after\":[\"lr$lr\"]"; done >$top/jobs
  $ nn-queue add --new <$top/jobs; nn-queue add --new <$top/jobs; grep -o '"after":[^]]*]' $NN_SPOOL/runs/507/job.json $NN_SPOOL/runs/508/job.json | sed 's/.*runs.//'
  nn-queue: runs 505 506 are the same command with the same parameters and code (not added again)
  507
  508
  nn-queue: runs 505 507 506 508 are the same command with the same parameters and code (not added again)
  507/job.json:"after":[505]
  508/job.json:"after":[506]
  $ nn-queue list | cut -f1 | nn-queue cancel >/dev/null

What git ignores is reached by links; what would not be found is told.

  $ nn-queue add --link data -- cat ../data/d; nn-queue work -q; nn-queue log last; ls $NN_SPOOL/runs/509
  509
  d
  attempt.json
  checkpoints
  env
  events.jsonl
  facts.json
  job.json
  log
  result.json
  $ nn-queue add -- cat ../data/d --from ../../gitconfig $top/proj/sub/train 2>&1 | sed "s|$top|TOP|"; nn-queue cancel last
  nn-queue: warning: ../data/d: not in the snapshot, for git ignores it or nothing is in it (--link reaches it in the work tree)
  nn-queue: warning: ../../gitconfig: outside of the work tree, and not found from the copy (give its absolute path)
  nn-queue: warning: TOP/proj/sub/train: not frozen, being named by an absolute path (name it from the directory of the run)
  510
  510	cancelled
  $ echo x >../data/program; nn-queue add -- ../data/program
  nn-queue: ../data/program is ignored by git, so it is not in the snapshot: --link PATH reaches it in the work tree (--live runs in place)
  [2]
  $ { nn-queue add --link no/such -- ./train; nn-queue add --link ../../spool -- ./train; } 2>&1 | sed "s|$top|TOP|"
  nn-queue: --link TOP/proj/sub/no/such: No such file or directory
  nn-queue: --link TOP/spool: lies outside of the work tree: name it by its absolute path in the command
  $ echo 'snapshot.link = data nothing' >$NN_SPOOL/config; nn-queue add -p by=config -- cat ../data/d; nn-queue work -q; nn-queue log last
  511
  d
  $ nn-queue add -- sh -c 'rm -r data'; mv ../data ../gone; nn-queue work -q 2>/dev/null; nn-queue log last | sed "s|$top|TOP|"; mv ../gone ../data; rm $NN_SPOOL/config
  512
  nn-run: cannot link TOP/proj/data: No such file or directory

New files that are too large are left out, by name.

  $ head -c 3000 /dev/zero >big; head -c 900 /dev/zero >small; echo 'snapshot.file-limit = 2K' >$NN_SPOOL/config
  $ nn-queue add -- ls 2>&1 | sed "s|$top|TOP|"; nn-queue work -q; nn-queue log last; rm $NN_SPOOL/config big small
  nn-queue: warning: not in the snapshot of TOP/proj: sub/big (2.93K, more than 2K)
  513
  small
  text
  train

In place when asked for, in a directory that is ignored, and outside of git; that is told when the command names a file.

  $ nn-queue add --live -- cat text; echo live >text; nn-queue work -q; nn-queue log last
  514
  live
  $ cd ../data && nn-queue add -- cat d 2>&1 | sed "s|$top|TOP|"; nn-queue add -- true
  nn-queue: warning: the code in TOP/proj/data is not frozen: git ignores that directory (what is changed in d before a run starts, it sees)
  515
  516
  $ cd $top && echo 'echo x' >script && nn-queue add -- sh script 2>&1 | sed "s|$top|TOP|"; nn-queue add -- sh -c 'sh script; date' 2>&1 | sed "s|$top|TOP|"; nn-queue add -- echo script.d
  nn-queue: warning: the code in TOP is not frozen: it is in no git work tree (what is changed in script before a run starts, it sees)
  517
  nn-queue: warning: the code in TOP is not frozen: it is in no git work tree (what is changed in script before a run starts, it sees)
  518
  519
  $ nn-queue list | cut -f1 | nn-queue cancel >/dev/null

Names that are no text, modes, links, a submodule, a repository inside; a work tree without a commit; a linked one.

  $ mkdir odd && cd odd && git init -q && mkdir -p 'a b' inside && printf x >"$(printf 'a b/n\nl\377')" && ln -s 'a b' link && ln -s ../gitconfig out
  $ printf '#!/bin/sh\nfind . -type f -o -type l | LC_ALL=C sort | tr -c " -~\\n" "?"; cat out >/dev/null && git rev-parse 2>/dev/null || echo no git' >x; chmod +x x
  $ git -C inside init -q && touch inside/f inside/g && git -C inside add f
  $ git -c protocol.file.allow=always submodule add -q $top/proj module && echo changed >module/sub/text
  $ nn-queue add -- ./x; nn-queue work -q; nn-queue log last; nn-queue show last | grep ^git
  520
  ./.gitmodules
  ./a b/n
  ./inside/f
  ./inside/g
  ./link
  ./module/.gitignore
  ./module/sub/text
  ./module/sub/train
  ./out
  ./x
  l?
  no git
  git         no commit yet
  $ git -C $top/proj worktree add -q $top/linked && cd $top/linked/sub && nn-queue add -- cat text; nn-queue work -q; nn-queue log last
  521
  edited

A run adds others: they get the code that it has itself.

  $ cd $top/proj/sub; printf '#!/bin/sh\nnn-queue add -- cat text\ncd .. && nn-queue add -- cat sub/text\n' >more; chmod +x more; echo then >text; nn-queue add -- ./more
  522
  $ echo later >text; nn-queue work -q; for n in 0 1 2; do nn-queue log last~$n; done; ls $NN_SPOOL/code | wc -l
  then
  then
  523
  524
  6
  $ nn-queue show last | grep -E '^(in|code) ' | sed "s|$top|TOP|; s/[0-9a-f]\{12,\}/HASH/"
  in          TOP/proj
  code        frozen, code/HASH

The variables of a hook do not lead elsewhere. A repository that git refuses, and none at all to ask:

  $ cd $top/proj/sub; GIT_DIR=$top/odd/.git GIT_INDEX_FILE=/nowhere GIT_WORK_TREE=/ nn-queue add -- cat train; nn-queue work -q; nn-queue log last | head -n 1
  525
  #!/bin/sh
  $ mkdir $top/bad && cd $top/bad && git init -q && echo x >f && echo [core >.git/config; nn-queue add -- cat f 2>&1 | sed "s|$top|TOP|"
  nn-queue: cannot freeze the code in TOP/bad: bad config line 1 in file .git/config (--live runs in place)
  $ cd $top/proj/sub; mkdir $top/bin; ln -s "$(command -v nn-queue)" $top/bin; PATH=$top/bin nn-queue add -- /bin/cat train 2>&1 | $(command -v sed) "s|$top|TOP|"
  nn-queue: warning: the code in TOP/proj/sub is not frozen: there is no git to ask (what is changed in train before a run starts, it sees)
  526

gc removes a snapshot that no run refers to, when it was not asked for lately.

  $ cd "$NN_SPOOL"; nn-queue gc; ls code | wc -l
  7
  $ touch -d '2 days ago' code/*/used; mkdir code/notes; for n in 1 2; do rm -r runs/$n done/000000$n.*; done; nn-queue gc --dry-run | wc -l
  1
  $ nn-queue gc | sed 's/[0-9a-f]\{32\}/TREE/'; ls code | wc -l; ls tmp
  code/TREE	no run refers to it, 2d old
  7
