While a run lasts, what its command uses is put on record every ten seconds; here more often. A setting of 0 turns it off.

  $ nn-queue init >/dev/null
  $ echo 'resources.every = 50ms' >spool/config
  $ nn-run sh -c 'sleep 600 & until grep -s -c percent spool/runs/1/resources.jsonl; do sleep 0.05; done >/dev/null; kill $!'
  $ grep -m 1 percent spool/runs/1/resources.jsonl | tr ',' '\n' | cut -d '"' -f 2 | grep -v pss | paste -s -d ' ' -
  t cpu cpu_percent rss read written threads files processes rss_peak attempt
  $ nn-queue show 1 | grep -c '^resources .* % cpu, .* memory.*, .* read, .* written, .* thread.*, .* file.*, .* process.* at '
  1
  $ NN_RESOURCES_EVERY=0 nn-run sleep 0.2
  $ ls spool/runs/2 | grep -c resources
  0
  [1]
  $ NN_RESOURCES_EVERY=often nn-run true
  nn-run: setting resources.every: 'often' is not a duration such as 30s
  [125]

The host's own figures are beside them. GPUs are there when nvidia-smi tells of any; whose they are is found by pid.

  $ mkdir smi && export SMI=$PWD/smi NN_NVIDIA_SMI=$PWD/smi/nvidia-smi
  $ echo '0, GPU-aa-1, 24576, 3000, 21000, 95, 60, 220.5, Disabled, 550.1, NVIDIA Thing 24GB' >smi/gpus
  $ cat >smi/nvidia-smi <<'END'
  > #!/bin/sh
  > case $1 in *apps*) until [ -s "$SMI/pid" ]; do sleep 0.02; done ;; esac
  > echo "GPU-aa-1, $(cat "$SMI/pid"), python3, 2048" >"$SMI/apps"
  > exec "$TESTS/nvidia-smi" "$@"
  > END
  $ chmod +x smi/nvidia-smi
  $ nn-run -q sh -c 'echo $$ >smi/pid; until grep -q GPU spool/runs/3/resources.jsonl; do sleep 0.05; done'
  $ grep -m 1 -o '"gpus":[^]]*]' spool/runs/3/resources.jsonl
  "gpus":[{"uuid":"GPU-aa-1","memory":2147483648,"utilisation":95.0}]
  $ grep -o '"gpus":[^]]*]' spool/hosts/$(uname -n).json | head -n 1
  "gpus":[{"index":0,"uuid":"GPU-aa-1","name":"NVIDIA Thing 24GB","memory":25769803776,"memory_used":3145728000,"utilisation":95.0,"temperature":60.0,"power":220.5,"trouble":null}]
  $ nn-queue show 3 | grep -o '2G of GPU-aa-1 (95 %)'
  2G of GPU-aa-1 (95 %)

The one who looks for all may be killed: another goes on, and the killed one's command is still looked at.

  $ rm spool/hosts/$(uname -n).json
  $ nn-run -q sleep 600 &
  > nn-run -q sleep 600 &
  $ file() { cat spool/hosts/$(uname -n).json; }
  $ both() { file | grep '"runs":{"4":.*"5":'; }
  $ sampler() { file | sed 's/.*"sampler":\([0-9]*\).*/\1/'; }
  $ another() { [ "$(sampler)" != "$first" ]; }
  $ until_ok both; first=$(sampler); kill -9 $first; until_ok another; until_ok both; kill -9 $(sampler); wait
