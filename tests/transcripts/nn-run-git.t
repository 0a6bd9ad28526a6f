The code as it was when the command started, although the command changes it.

  $ export GIT_CONFIG_GLOBAL=$PWD/gitconfig GIT_AUTHOR_DATE=2026-01-01T00:00:00Z GIT_COMMITTER_DATE=2026-01-01T00:00:00Z
  $ git config --global user.name a && git config --global user.email a@b && git config --global init.defaultBranch main
  $ nn-queue init >/dev/null
  $ mkdir code && cd code && git init -q && echo 'x = 1' > a.py && git add a.py && git commit -qm one
  $ echo 'x = 2' > a.py; touch new.py
  $ nn-run -q -- sh -c 'echo x = 3 > a.py; git commit -qam two'
  $ cd ../spool/runs/1
  $ tail -n 1 code.patch
  +x = 2
  $ grep -o '"branch":"[^"]*","dirty":[a-z]*' facts.json
  "branch":"main","dirty":true
  $ grep -o '"untracked":\[[^]]*\]' facts.json
  "untracked":["new.py"]
  $ sed 's/.*"commit":"\([0-9a-f]*\)".*/\1/' facts.json > before; sed 's/.*"commit_at_end":"\([0-9a-f]*\)".*/\1/' facts.json > after
  $ cmp before after
  before after differ: char 1, line 1
  [1]
  $ cd ../../../code && git log --format=%H | cat - > ../all && cat ../spool/runs/1/after ../spool/runs/1/before | cmp - ../all

Secrets stay out of the record:

  $ CUDA_TOKEN=canary nn-run -q true
  $ grep -c canary ../spool/runs/2/facts.json
  0
  [1]
  $ grep -o '"CUDA_TOKEN":"[^"]*"' ../spool/runs/2/facts.json
  "CUDA_TOKEN":"(masked)"

A git that takes long does not hold up the command; the facts say that they came late:

  $ mkdir ../slow && printf '#!/bin/sh\nuntil [ -e %s/looked ]; do sleep 0.02; done\nexec %s "$@"\n' "$PWD/.." "$(command -v git)" > ../slow/git && chmod +x ../slow/git
  $ PATH="$PWD/../slow:$PATH" nn-run -q -- sh -c 'ls ../spool/runs/3/facts.json; s=$?; touch ../looked; exit $s'
  [2]
  $ cat ../spool/runs/3/log
  ls: cannot access '../spool/runs/3/facts.json': No such file or directory
  $ grep -o '"late":true' ../spool/runs/3/facts.json; grep -c '"commit":"[0-9a-f]\{40\}"' ../spool/runs/3/facts.json
  "late":true
  1
