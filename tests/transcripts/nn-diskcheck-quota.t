Programs that stand in for quota(1), and print what it prints, limit what is free. The file system is the last argument.

  $ mkdir bin; PATH=$PWD/bin:$PATH
  $ cat > bin/quota <<'EOF'
  > #!/bin/sh
  > for at; do :; done
  > [ "$*" = "-w -v -Q -u -g -f $at" ] || exit 9
  > . ./answer
  > EOF
  $ chmod +x bin/quota
  $ heading='     Filesystem  blocks   quota   limit   grace   files   quota   limit   grace'
  $ cat > user <<'EOF'
  > echo "Disk quotas for user jane (uid $(id -u)): "
  > echo "$heading"
  > EOF
  $ echo 'heading=; . ./user; printf "%15s %7s%c %6s %7s %7s %7s%c %6s %7s %7s\n" "$at" 100 " " 200 250 "" 10 " " 20 25 ""' > answer
  $ nn-diskcheck --need 100K --inodes 10; echo "exit $?"
  .	disk	153600	user quota	102400	yes
  .	inodes	15	user quota	10	yes
  exit 0
  $ nn-diskcheck --need 200K --inodes 16 2>&1 | sed "s,$PWD,.,"
  .	disk	153600	user quota	204800	no
  .	inodes	15	user quota	16	no
  nn-diskcheck: disk: 200K needed, 150K free (user quota of .)
  nn-diskcheck: inodes: 16 needed, 15 free (user quota of .)
  $ nn-diskcheck --json | grep -o '"user quota":{.*}}$'
  "user quota":{"free":153600,"inodes":15}}}

Of the groups the one counts that new files will have.

  $ cat > answer <<'EOF'
  > . ./user; echo "$at 0 0 0 0 0 0"
  > echo "Disk quotas for group others (gid 4711): "; echo "$at 1 0 2 1 0 2"
  > echo "Disk quotas for group mine (gid $(id -g)): "; echo "$at 1 0 7 1 0 0"
  > EOF
  $ nn-diskcheck --need 6K
  .	disk	6144	group quota	6144	yes
  $ nn-diskcheck --need 7K 2>/dev/null
  .	disk	6144	group quota	7168	no
  [1]

Over the soft limit, within the grace and after it; a row of another file system; none.

  $ echo '. ./user; echo "$at 210* 200 250 6days 10 0 0"' > answer; nn-diskcheck 2>&1 | sed "s,$PWD,.,"
  nn-diskcheck: warning: .: user quota: space: over the soft limit, grace 6days
  .	disk	40960	user quota		yes
  $ echo '. ./user; echo "$at 210* 200 250 none 10 0 0"' > answer; nn-diskcheck 2>&1 | sed "s,$PWD,.,"
  nn-diskcheck: warning: .: user quota: space: over the soft limit, and the grace is over
  .	disk	0	user quota		no
  nn-diskcheck: disk: none free (user quota of .)
  $ echo '. ./user; echo "server:/other 210 200 250 10 0 0"' > answer; nn-diskcheck | cut -f4
  file system
  $ echo 'echo "Disk quotas for user jane (uid 1): none"' > answer; nn-diskcheck | cut -f4
  file system
  $ echo 'echo "quota: Mountpoint (or device) / not found or has no quota enabled." >&2; exit 1' > answer; nn-diskcheck | cut -f4
  file system

Nonsense is not counted, and said; neither an endless answer nor control characters do harm.

  $ echo 'echo "Your quota is fine."' > answer; nn-diskcheck 2>&1 | cut -f4 | sed "s,$PWD,.,"
  nn-diskcheck: warning: .: cannot read what quota prints: quotas are not counted
  file system
  $ echo '. ./user; echo "$at 99999999999999999999999 1 2 3 4 5"' > answer; nn-diskcheck 2>&1 | cut -f4 | sed "s,$PWD,.,"
  nn-diskcheck: warning: .: cannot read what quota prints: quotas are not counted
  file system
  $ echo 'exec yes "Disk quotas for user jane (uid 1):"' > answer; nn-diskcheck 2>&1 | cut -f4 | sed "s,$PWD,.,"
  nn-diskcheck: warning: .: cannot read what quota prints: quotas are not counted
  file system
  $ echo 'printf "\033[31mquota: error\007\n" >&2; exit 1' > answer; nn-diskcheck 2>&1 | cut -f4 | sed "s,$PWD,.,"
  nn-diskcheck: warning: .: quotas are not counted: \x1b[31mquota: error\x07
  file system
  $ echo 'head -c 100000 /dev/urandom' > answer; nn-diskcheck 2>&1 | cut -f4 | sed "s,$PWD,.,"
  nn-diskcheck: warning: .: cannot read what quota prints: quotas are not counted
  file system
