A record a path: what is free, what limits it, what is needed, yes or no. (A quota program that has nothing to say stands
in for the machine's own.)

  $ mkdir bin; printf '#!/bin/sh\n' > bin/quota; chmod +x bin/quota; PATH=$PWD/bin:$PATH
  $ nn-diskcheck | cut -f1,2,4-
  .	disk	file system		yes
  $ nn-diskcheck --need 1K --inodes 2 . not/there/yet | cut -f1,2,5-; echo "exit $?"
  .	disk	1024	yes
  .	inodes	2	yes
  not/there/yet	disk	1024	yes
  not/there/yet	inodes	2	yes
  exit 0
  $ [ "$(nn-diskcheck --json | sed 's/.*"free":\([0-9]*\),"inodes".*/\1/')" -gt 0 ]

A line of a batch script; it needs no spool.

  $ cat > job.sh <<'EOF'
  > nn-diskcheck --need 900000T "$WRKDIR" >/dev/null || exit 1
  > echo training
  > EOF
  $ WRKDIR=$PWD sh job.sh 2>&1 | sed "s/needed, .* free (.* of $(echo $PWD | sed 's,/,\\/,g'))/needed, SOME free (WHERE)/"
  nn-diskcheck: disk: 879P needed, SOME free (WHERE)
  $ WRKDIR=$PWD sh job.sh 2>/dev/null
  [1]
  $ sed -i 's/900000T/1M/' job.sh; WRKDIR=$PWD sh job.sh
  training
  $ [ -e spool ]
  [1]

What is there is listed whether or not it is enough; a path that cannot be judged does not hide the others.

  $ touch file
  $ nn-diskcheck --need 900000T . file/x --ram 900000T 2>told | sed 's/\t[0-9][0-9]*\t[^\t]*\t/\tFREE\tLIMIT\t/'; wc -l < told; head -1 told | sed "s,$PWD,.,"
  .	disk	FREE	LIMIT	989560464998400000	no
  -	ram	FREE	LIMIT	989560464998400000	no
  3
  nn-diskcheck: cannot look at ./file/x: Not a directory
  $ nn-diskcheck --ram 1K . --json | tail -1 | sed 's/"\(free\|total\)":[0-9]*/"\1":N/g; s/"limit":"[^"]*"/"limit":"L"/'
  {"path":null,"what":"ram","free":N,"limit":"L","need":1024,"room":true,"at":null,"mount":null,"total":N,"probed":null,"limits":null}

What can truly be allocated is tried without a trace, and only what seems to be there.

  $ nn-diskcheck --probe --need 64K --json 2>/dev/null | grep -c '"probed":65536,\|"probed":null,'
  1
  $ nn-diskcheck --probe --need 900000T --json 2>/dev/null | grep -o '"probed":null'
  "probed":null
  $ ls -A
  bin
  file
  job.sh
  told

GPU memory, as a program that stands in for nvidia-smi tells it.

  $ mkdir smi; export SMI=$PWD/smi NN_NVIDIA_SMI=$TESTS/nvidia-smi
  $ echo '0, GPU-aa, 24576, 20000, 4576, 0, 35, 20.5, Disabled, 550.1, Card' > smi/gpus
  $ echo '1, GPU-bb, 24576, 10, 24000, 0, 35, 20.5, Disabled, 550.1, Card' >> smi/gpus
  $ nn-diskcheck --gpu-mem 8G | tail -1
  -	gpu-mem	25165824000	GPU 1 Card	8589934592	yes
  $ CUDA_VISIBLE_DEVICES=0 nn-diskcheck --gpu-mem 8G | tail -1
  nn-diskcheck: gpu-mem: 8G needed, 4.47G free (GPU 0 Card)
  -	gpu-mem	4798283776	GPU 0 Card	8589934592	no
  $ CUDA_VISIBLE_DEVICES= nn-diskcheck --gpu-mem 8G --json | tail -1
  nn-diskcheck: gpu-mem: 8G needed, none free (no GPU)
  {"path":null,"what":"gpu-mem","free":0,"limit":"no GPU","need":8589934592,"room":false,"at":null,"mount":null,"total":0,"probed":null,"limits":null}
  $ echo 'Failed to initialize NVML: Driver/library version mismatch' > smi/fails
  $ nn-diskcheck --gpu-mem 8G | cut -f2 | sed "s,$TESTS,,"
  nn-diskcheck: nvidia-smi: Failed to initialize NVML: Driver/library version mismatch
  disk

Like an earlier run: what it left in its directory and its memory, and a quarter more. A need that is given goes before.

  $ nn-queue init >/dev/null; nn-run -q -- sh -c 'dd if=/dev/zero bs=1024 count=1000 of=$NN_CHECKPOINTS/a 2>/dev/null; ln $NN_CHECKPOINTS/a $NN_CHECKPOINTS/b'
  $ nn-diskcheck --like last | awk '$2 == "disk" { print ($(NF-1) >= 1280000 && $(NF-1) < 1400000) } $2 == "ram" { print ($(NF-1) > 1000) } $2 == "inodes" { print ($(NF-1) > 5) } { print $2, $NF }'
  1
  disk yes
  1
  inodes yes
  1
  ram yes
  $ nn-diskcheck --like last --need 1K --inodes 3 --ram 2K | awk '{ print $2, $(NF-1), $NF }'
  disk 1024 yes
  inodes 3 yes
  ram 2048 yes
  $ cat > spool/runs/1/resources.jsonl <<'EOF'
  > {"t":"2026-11-22T20:15:00.000Z","attempt":1,"rss":4000000,"rss_peak":8000000,"written":1000,"gpus":[{"uuid":"GPU-aa","memory":4000},{"uuid":"GPU-bb","memory":8000}]}
  > rubbish
  > {"t":"2026-11-22T20:15:10.000Z","attempt":1,"rss":3000000,"rss_peak":80000000,"written":5000000000,"gpus":[{"uuid":"GPU-aa"}]}
  > {"t":"2026-11
  > EOF
  $ rm smi/fails; nn-diskcheck --like 1 2>told | grep '^-' | cut -f2,5-; sed 's/[0-9.]*M are/SOME are/' told
  ram	100000000	yes
  gpu-mem	10000	yes
  nn-diskcheck: warning: run 1 wrote 4.66G, of which SOME are left in its directory
  $ nn-queue add -- true
  2
  $ nn-diskcheck --like 2 2>&1 >/dev/null
  nn-diskcheck: warning: run 2 is queued: a whole one may use more

The examples of the page.

  $ WRKDIR=$PWD; nn-diskcheck --need 20K "$WRKDIR" >/dev/null || exit 1
  $ nn-diskcheck --json . | grep -o '"limits":{"file system":{"free"'
  "limits":{"file system":{"free"
